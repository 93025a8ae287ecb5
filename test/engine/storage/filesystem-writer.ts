// A process of its own for filesystem-faults.test.ts: writes for ever until it is killed, or
// meets a file system that is full or becomes read-only and says on standard output how that
// went.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { isEngineError } from '#engine/base/errors.ts';
import { openFilesystem, type FilesystemStorage } from '#engine/storage/filesystem.ts';

const [root = '', what = ''] = process.argv.slice(2);

if (what === 'full' || what === 'readonly') {
  const storage = await openFilesystem(root, { create: true });
  await storage.put('first', [Buffer.from('x')]);
  if (what === 'readonly') execFileSync('mount', ['-o', 'remount,ro', root]);
  console.log(JSON.stringify(await meetTrouble(storage)));
} else {
  const storage = await openFilesystem(root);
  for (let value = 1; ; value = (value % 250) + 1) {
    console.log(value);
    await storage.put(what, [new Uint8Array(3_000_000 + value).fill(value)]);
  }
}

async function meetTrouble(storage: FilesystemStorage): Promise<object> {
  let code = 'none';
  try {
    await storage.put('second', [new Uint8Array(5_000_000)]);
  } catch (error) {
    code = isEngineError(error) ? error.code : String(error);
  }
  const listed = [];
  for await (const { id } of storage.list('')) listed.push(id);
  const left = readdirSync(root).filter(name => name.includes('.tmp.')).length;
  const first = Buffer.from(await storage.get('first')).toString();
  return { code, listed, left, first };
}
