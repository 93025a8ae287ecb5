import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { storageCompliance } from './compliance.ts';
import { fastDirectory } from './fast-directory.ts';

const directory = t.testdir();
const fast = fastDirectory(t);
let opened = 0;
storageCompliance(t, 'a directory', () =>
  openFilesystem(`${directory}/${opened++}`, { create: true }),
);
storageCompliance(t, 'a flat directory', () =>
  openFilesystem(`${fast}/${opened++}`, { create: true, shards: [] }),
);
