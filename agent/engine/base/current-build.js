// Whether dist/ is to be run in place of the sources: only when it was made from exactly what lies
// beside it. An edit, another branch or another version of a package, and the sources run. Plain
// JavaScript, because stevedore.js needs it.

import { readFileSync, statSync } from 'node:fs';

const ROOT = new URL('../../../', import.meta.url);

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
    const inputs = JSON.parse(readFileSync(new URL('dist/inputs.json', ROOT), 'utf8'));
    return inputs.every(isUnchanged) ? entry : undefined;
  } catch {
    // There is none, or one of its sources is gone.
    return undefined;
  }
}

function isUnchanged([path, size, mtimeMs]) {
  const found = statSync(new URL(path, ROOT));
  return found.size === size && found.mtimeMs === mtimeMs;
}
