// Runs a script of the build by what V8 had compiled of it when the build was made
// (record-compiled.js). Node's own cache holds only what is compiled while a module is loaded; the
// functions of a run are compiled by each run again, in each thread. Lies in dist/, too.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Of the script and of what is compiled, in front of the latter: V8 believes what it is given. */
export const SUMS_BYTES = 8;
/** Magic number, version, length of the source (0), flags, the read-only heap. */
const HEAD_BYTES = 20;

/**
 * What script `name` of `folder` exports; undefined where nothing is there that this version of V8
 * has compiled under the flags of now, and the caller runs the module that is made from the same.
 */
export function runCompiled(folder, name) {
  const source = readScript(folder, name);
  const cachedData = source && readCompiled(compiledPath(folder, name), source);
  if (cachedData === undefined) return undefined;
  const script = openScript(source, cachedData);
  // V8 has copies by now, and collects what lies outside its heap only now and then.
  release(source.bytes, 0);
  release(cachedData, SUMS_BYTES);
  return script.cachedDataRejected ? undefined : run(script, source.path);
}

/**
 * A file for each version of V8 and set of its flags, which is what V8 asks for in the head of what
 * is compiled (SerializedCodeData in src/snapshot/code-serializer.h). cachedDataVersionTag() names
 * the processor, too, and an image runs elsewhere than where it was made.
 */
export function compiledPath(folder, name, head = compiledHead()) {
  return join(folder, `${name}.${crc32(head).toString(16)}.compiled`);
}

export function compiledHead() {
  return new Script('').createCachedData().subarray(0, HEAD_BYTES);
}

export function readScript(folder, name) {
  const path = join(folder, `${name}.script`);
  const bytes = readIfThere(path);
  return bytes && { path, bytes };
}

export function openScript({ path, bytes }, cachedData) {
  return new Script(bytes.latin1Slice(), {
    filename: path,
    cachedData,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

/** The script is a function; its parameters are named in build.js. */
export function run(script, path) {
  const url = pathToFileURL(path).href;
  const module = { exports: {} };
  const load = script.runInThisContext();
  load(createRequire(url), module, module.exports, url, dirname(path), path);
  return module.exports;
}

export function readCompiled(path, { bytes }) {
  const file = readIfThere(path);
  if (file === undefined || file.length < SUMS_BYTES) return undefined;
  const compiled = file.subarray(SUMS_BYTES);
  const isWhole = file.readUInt32LE(0) === crc32(bytes) && file.readUInt32LE(4) === crc32(compiled);
  return isWhole ? compiled : undefined;
}

/** Unless others have part of the buffer, as with small files; it begins `before` bytes before. */
function release({ buffer, length }, before) {
  if (buffer.byteLength === before + length) buffer.transfer(0);
}

function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
