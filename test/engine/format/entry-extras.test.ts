import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  encodeDirectoryExtras,
  encodeExtras,
  type EntryExtras,
  type SpecialEntry,
} from '#engine/format/entry-extras.ts';

const fail = (problem: string) => new EngineError('DIRECTORY_DAMAGED', problem);
const parsed = (value: object | undefined) =>
  JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

const everything: EntryExtras = {
  nameBytes: new Uint8Array([0x66, 0xff]),
  linkGroup: '8:1:42',
  xattrs: [
    { name: 'security.capability', value: new Uint8Array([1, 0, 0, 2]) },
    { name: 'user.\xe9', value: new Uint8Array() },
  ],
  holes: [0, 4096, 8192, 4096],
  flags: 0x10,
  projectId: 7,
  mtimeEras: -1,
  partial: { bytes: 1_000_000, inode: '42', ctime: '1700000000.000000001' },
};

const pipe: SpecialEntry = {
  name: 'pipe',
  type: 'p',
  mode: 0o4644,
  uid: 1,
  gid: 2,
  mtimeSeconds: 1767323045,
  mtimeNanoseconds: 5,
  major: 0,
  minor: 0,
};

t.test('an entry with nothing extra gets no field', async t => {
  t.equal(encodeExtras({}), undefined);
  t.equal(encodeExtras({ xattrs: [], holes: [], flags: 0, projectId: 0 }), undefined);
  t.equal(encodeDirectoryExtras({ special: [] }), undefined);
  t.equal(encodeDirectoryExtras({ self: {}, special: [] }), undefined);
});

t.test('what was encoded is decoded again', async t => {
  t.strictSame(decodeExtras(parsed(encodeExtras(everything)), fail), everything);
  const device: SpecialEntry = { ...pipe, name: 'sda', type: 'b', major: 8, minor: 1048575 };
  const directory = { self: everything, special: [pipe, { ...device, extras: everything }] };
  const decoded = decodeDirectoryExtras(parsed(encodeDirectoryExtras(directory)), fail);
  t.match(decoded, directory);
});

t.test('a special file may have no permissions at all', async t => {
  const directory = { self: undefined, special: [{ ...pipe, mode: 0 }] };
  const decoded = decodeDirectoryExtras(parsed(encodeDirectoryExtras(directory)), fail);
  t.match(decoded, { special: directory.special });
});

t.test('the text is the documented one', async t => {
  t.equal(
    JSON.stringify(encodeExtras({ xattrs: [{ name: 'user.a', value: Buffer.from('a') }] })),
    '{"stevedore":{"xattrs":{"user.a":"YQ=="}}}',
  );
});

t.test('a field of a later version is named and not dropped in silence', async t => {
  t.strictSame(decodeExtras({ stevedore: { colour: 1 } }, fail), { unknown: ['colour'] });
});

t.test('what cannot be understood is refused', async t => {
  const bad: readonly object[] = [
    { holes: [0] },
    { holes: [0, 0] },
    { holes: [8, 4, 8, 4] },
    { holes: [0, 4, 4, 4] },
    { holes: [-1, 4] },
    { holes: ['0', 4] },
    { xattrs: { '': '' } },
    { xattrs: { '\u0100': '' } },
    { xattrs: { user: 1 } },
    { flags: -1 },
    { name: '*' },
  ];
  for (const stevedore of bad) {
    t.throws(() => decodeExtras({ stevedore }, fail), { code: 'DIRECTORY_DAMAGED' });
  }
  for (const change of [{ type: 'f' }, { mode: 'x' }, { mtime: 'now' }]) {
    const special = [{ ...parsed({ ...pipe, mode: '0644' }), mtime: '2026-01-01T00:00:00Z' }];
    Object.assign(special[0], change);
    t.throws(() => decodeDirectoryExtras({ stevedore: { special } }, fail), {
      code: 'DIRECTORY_DAMAGED',
    });
  }
});
