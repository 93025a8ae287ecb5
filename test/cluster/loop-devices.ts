// Loop devices belong to the whole machine: those that were made inside stay when it has ended. A
// kubelet makes one on each block device that it gives to a pod, to keep it open (kubernetes
// pkg/volume/util/volumepathhandler, AttachFileDevice).

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

interface LoopDevice {
  readonly name: string;
  readonly 'back-file': string;
  readonly 'back-ino': number;
  readonly 'back-maj:min': string;
}

/** Those of files below `directory`, and those that were made on them. */
export function detachLoopDevices(directory: string): void {
  const all = loopDevices();
  const lower = all.filter(device => device['back-file'].startsWith(`${directory}/`));
  // Its path is no longer known when its mount has gone; that of a file is as it was.
  const files = lower.map(({ name }) => fileOf(name));
  const upper = all.filter(device =>
    files.includes(`${device['back-maj:min'].trim()} ${device['back-ino']}`),
  );
  for (const { name } of [...upper, ...lower]) spawnSync('losetup', ['--detach', name]);
}

/** `major:minor inode`, as makedev(3) numbers devices. */
function fileOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)} ${ino}`;
}

function loopDevices(): readonly LoopDevice[] {
  const words = ['--json', '--output', 'NAME,BACK-FILE,BACK-INO,BACK-MAJ:MIN'];
  const { status, stdout } = spawnSync('losetup', words, { encoding: 'utf8' });
  if (status !== 0 || stdout === '') return [];
  // util-linux, losetup --json.
  return (JSON.parse(stdout) as { loopdevices: LoopDevice[] }).loopdevices;
}
