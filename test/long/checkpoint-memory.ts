// A program for checkpoint-memory.test.ts: backs up SOURCE into memory, with a checkpoint every so
// many milliseconds or none, and prints what that took.

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { backup, createRepository, openRepository } from '#engine/index.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { OWNER, PASSWORD } from '#test/faults/small-repository.ts';

const [directory = '', path = '', everyMs = '0'] = process.argv.slice(2);
let checkpoints = 0;
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => {
    if (everyMs === '0') return systemClock.sleep(ms, signal);
    checkpoints++;
    return systemClock.sleep(Number(everyMs), signal);
  },
};
const storage = await openFilesystem(directory, { create: true });
await createRepository({ storage, password: PASSWORD, owner: OWNER });
await using repository = await openRepository({ storage, password: PASSWORD, threads: 2, clock });
const began = performance.now();
const { files } = await backup(repository, { path, source: { ...OWNER, path } });
const elapsedMs = performance.now() - began;
const residentKiB = process.resourceUsage().maxRSS;
console.log(JSON.stringify({ files, checkpoints, elapsedMs, residentKiB }));
