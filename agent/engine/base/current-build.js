// Whether dist/ is to be run in place of the sources: only when it was made from exactly what lies
// beside it. An edit, another branch or another version of a package, and the sources run. Plain
// JavaScript, because stevedore.js needs it.

import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);
/** With a slash at its end. */
const ROOT_PATH = fileURLToPath(ROOT);

/**
 * The module to run of those in dist/, or undefined where there is no build of these sources. Below
 * node_modules Node refuses to run TypeScript, and npm has set all times, so there the build that
 * came along is right.
 */
export function currentBuild(name = 'main.js') {
  if (process.env.STEVEDORE_DIST === '0') return undefined;
  const entry = new URL(`dist/${name}`, ROOT);
  if (ROOT.pathname.includes('/node_modules/')) return entry;
  try {
    const list = new URL(`dist/${basename(name, '.js')}.inputs.json`, ROOT);
    const inputs = JSON.parse(readFileSync(list, 'utf8'));
    return inputs.every(isUnchanged) ? entry : undefined;
  } catch {
    // There is none, or one of its sources is gone.
    return undefined;
  }
}

function isUnchanged([path, size, mtimeMs]) {
  const found = statSync(ROOT_PATH + path);
  return found.size === size && found.mtimeMs === mtimeMs;
}
