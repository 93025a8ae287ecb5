import t from 'tap';
import {
  formatObjectId,
  indirectObjectId,
  isDirectoryObject,
  isObjectId,
  listOf,
  parseObjectId,
} from '#engine/format/object-id.ts';

const HASH = '67d102b539e87f5bebb4503c87ebc993';

t.test('letters before the content id tell how it is to be read', async t => {
  const cases: [string, { indirection: number; isCompressed: boolean; contentId: string }][] = [
    [HASH, { indirection: 0, isCompressed: false, contentId: HASH }],
    [`Ix${HASH}`, { indirection: 1, isCompressed: false, contentId: `x${HASH}` }],
    [`IIk${HASH}`, { indirection: 2, isCompressed: false, contentId: `k${HASH}` }],
    [`Z${HASH}`, { indirection: 0, isCompressed: true, contentId: HASH }],
  ];
  for (const [text, id] of cases) {
    t.same(parseObjectId(text), id);
    t.equal(formatObjectId(id), text);
    t.ok(isObjectId(text));
  }
});

t.test('an old letter D and upper-case digits are read and not written', async t => {
  t.equal(formatObjectId(parseObjectId(`D${HASH.toUpperCase()}`)), HASH);
  t.equal(formatObjectId(parseObjectId(`ID${HASH}`)), `I${HASH}`);
  t.equal(formatObjectId(parseObjectId(`ZD${HASH}`)), `Z${HASH}`);
  t.ok(isObjectId(`D${HASH}`));
});

t.test('what is no object is refused', async t => {
  const texts = ['', 'I', 'Z', 'D', `IZ${HASH}`, `ZI${HASH}`, `DI${HASH}`, `ZZ${HASH}`, 'Iq', '0'];
  for (const text of [...texts, `${'I'.repeat(17)}${HASH}`]) {
    t.throws(() => parseObjectId(text), { code: 'OBJECT_ID_INVALID' }, text);
    t.notOk(isObjectId(text), text);
  }
});

t.test('a list and its object lead to each other', async t => {
  const list = parseObjectId(`x${HASH}`);
  const object = indirectObjectId(list);
  t.equal(formatObjectId(object), `Ix${HASH}`);
  t.same(listOf(object), list);
  t.equal(listOf(list), undefined);
});

t.test('directories are told by the prefix of their content', async t => {
  t.ok(isDirectoryObject(parseObjectId(`k${HASH}`)));
  t.ok(isDirectoryObject(parseObjectId(`Ik${HASH}`)));
  t.notOk(isDirectoryObject(parseObjectId(`Ix${HASH}`)));
  t.notOk(isDirectoryObject(parseObjectId(HASH)));
});
