import t from 'tap';
import {
  type DirectoryWriter,
  writeDirectoryObject,
  writePartialDirectory,
} from '#engine/snapshot/upload/directory-object.ts';
import { TotalsBuilder } from '#engine/snapshot/upload/part-totals.ts';
import { metadataNamed } from './upload-run.ts';

const summary = new TotalsBuilder().directorySummary(metadataNamed('a'));

t.test('a directory that nobody could read again is not written', async t => {
  // The same memory many times: with the commas between them it is too much.
  const piece = new Uint8Array(2 ** 20);
  const pieces = Array.from({ length: 512 }, () => piece);
  const written: number[] = [];
  const writePieces = (all: readonly Uint8Array[]) => {
    written.push(all.length);
    return 'k1';
  };
  // Nothing else of a thread is used.
  const upload = { objects: { writePieces } } as unknown as DirectoryWriter;
  const extras = { special: [] };
  const write = () => writeDirectoryObject(upload, pieces, summary, extras);
  t.throws(write, { code: 'SOURCE_TOO_LARGE' });
  t.strictSame(written, []);
  t.equal(writeDirectoryObject(upload, pieces.slice(1), summary, extras), 'k1');
  t.equal(writePartialDirectory(upload, pieces, summary, extras), 'k1', 'but for a checkpoint');
});
