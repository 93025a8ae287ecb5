// A tree with everything that makes reading a source hard. Names are bytes: some are not UTF-8.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';

export const ODD_NAMES: readonly Buffer[] = [
  Buffer.from('plain'),
  Buffer.from('new\nline'),
  Buffer.from('-leading-dash'),
  Buffer.from(' space '),
  Buffer.from('...'),
  Buffer.from('a\\b'),
  Buffer.from('über'),
  Buffer.from('\u{1f600}'),
  Buffer.from('real \ufffd'),
  Buffer.from('x'.repeat(255)),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x61, 0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0x01, 0x7f]),
];

/** To be disposed of before the directory is removed. */
export interface OddTree extends AsyncDisposable {
  readonly path: string;
}

/** Makes the tree below `root`, which exists. */
export async function makeOddTree(root: string): Promise<OddTree> {
  const base = Buffer.from(`${root}/`);
  for (const name of ODD_NAMES) writeFileSync(Buffer.concat([base, name]), name);
  mkdirSync(Buffer.concat([base, Buffer.from([0x64, 0xe4])]));
  mkdirSync(`${root}/empty`);
  symlinkSync('nowhere', `${root}/dangling`);
  symlinkSync('loop', `${root}/loop`);
  symlinkSync('/etc', `${root}/to-directory`);
  symlinkSync(Buffer.from([0x2e, 0x2f, 0xff]), `${root}/to-bytes`);
  symlinkSync('t'.repeat(4000), `${root}/long-target`);
  execFileSync('mkfifo', [`${root}/fifo`]);
  writeFileSync(`${root}/special`, 'x');
  chmodSync(`${root}/special`, 0o7751);
  writeFileSync(`${root}/old`, 'x');
  // As numbers, times before 1970 would be taken for now.
  utimesSync(`${root}/old`, new Date(-1500), new Date(-1500));
  writeFileSync(`${root}/distant`, 'x');
  utimesSync(`${root}/distant`, 4_294_967_296.25, 4_294_967_296.25);
  lutimesSync(`${root}/dangling`, 12.125, 12.125);
  return listenOn(root);
}

/** A socket in the tree. Its address is short however long the path, thanks to /proc. */
async function listenOn(root: string): Promise<OddTree> {
  const folder = openSync(root, 'r');
  const server = createServer();
  await new Promise<void>(resolve => server.listen(`/proc/self/fd/${folder}/socket`, resolve));
  return {
    path: root,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>(resolve => void server.close(() => resolve()));
      closeSync(folder);
    },
  };
}
