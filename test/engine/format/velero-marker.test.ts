import t from 'tap';
import { checkVeleroMarker, encodeVeleroMarker } from '#engine/format/velero-marker.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const TEXT = '{"uniqueID":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}';

t.test('the marker names the repository', async t => {
  t.equal(textOf(encodeVeleroMarker(sequence(0))), TEXT);
  t.doesNotThrow(() => checkVeleroMarker(bytesOf(TEXT), sequence(0)));
});

t.test('a marker of another repository or of none is refused', async t => {
  for (const text of [TEXT, '{}', '[]', '{"uniqueID":7}', 'x']) {
    t.throws(() => checkVeleroMarker(bytesOf(text), sequence(1)), {
      code: 'REPOSITORY_FORMAT_INVALID',
    });
  }
});
