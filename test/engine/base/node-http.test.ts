// What our programs load of Node is what they need: of undici, which comes with an import of
// node:http by name, nothing.

import { execFileSync } from 'node:child_process';
import t from 'tap';

const PROGRAMS = {
  'the node agent': '#agent/main.ts',
  'the controller': '#controller/main.ts',
  'the command': '#engine/cli/main.ts',
  'what asks the controller': '#controller/commands/main.ts',
};
const LOOK = `console.log(process.moduleLoadList.some(name => /undici/.test(name)))`;

/** Whether undici is there when that has been imported. */
function hasUndici(module: string): string {
  const program = `await import('${module}'); ${LOOK}`;
  const words = ['--input-type=module-typescript', '-e', program];
  return execFileSync(process.execPath, words, { encoding: 'utf8' }).trim();
}

for (const [name, module] of Object.entries(PROGRAMS)) {
  t.test(`${name} is there without undici`, async t => {
    t.equal(hasUndici(module), 'false');
  });
}

t.test('an import of node:http by name would bring it', async t => {
  t.equal(hasUndici('node:http'), 'true', 'else node-http.ts is not needed any more');
});
