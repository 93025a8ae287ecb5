import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';
import { cleanMappings } from '#engine/base/program-pages.ts';

const PATH = '/usr/local/bin/node';

function mapping(head: string, { dirty = 0, anonymous = 0, locked = 0 } = {}): string {
  return [
    head,
    'Size:              41960 kB',
    'Rss:               30528 kB',
    'Private_Clean:     30528 kB',
    `Private_Dirty:     ${String(dirty).padStart(5)} kB`,
    `Anonymous:         ${String(anonymous).padStart(5)} kB`,
    'Swap:                  0 kB',
    `Locked:            ${String(locked).padStart(5)} kB`,
    'VmFlags: rd ex mr mw me sd',
    '',
  ].join('\n');
}

const TEXT = `0074a000-03044000 r-xp 0034a000 fe:00 1234                       ${PATH}`;
const DATA = `03201000-06b51000 r--p 02e01000 fe:00 1234                       ${PATH}`;

t.test('only large mappings of the program that nothing has changed are clean', t => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['code', mapping(TEXT), 1],
    ['data for reading', mapping(DATA), 1],
    ['both', mapping(TEXT) + mapping(DATA), 2],
    ['relocated data', mapping(DATA, { dirty: 4 }), 0],
    ['changed pages that were cleaned', mapping(DATA, { anonymous: 4 }), 0],
    ['locked pages', mapping(DATA, { locked: 4 }), 0],
    ['data for writing', mapping(DATA.replace('r--p', 'rw-p')), 0],
    ['shared data', mapping(DATA.replace('r--p', 'r--s')), 0],
    ['a small one', mapping(TEXT.replace('03044000', '0074b000')), 0],
    ['another file', mapping(TEXT.replace(PATH, '/usr/lib/libc.so.6')), 0],
    ['a file that was replaced', mapping(`${TEXT} (deleted)`), 0],
    ['a kernel that does not say', `${TEXT}\nRss: 3 kB\n`, 0],
  ];
  for (const [name, text, count] of rows) t.equal(cleanMappings(text, PATH).length, count, name);
  t.strictSame(cleanMappings(mapping(TEXT), PATH), [{ address: 0x74a000, bytes: 0x28fa000 }]);
  t.end();
});

t.test('a process goes on as before with its pages unmapped', t => {
  if (!isNativeAvailable()) {
    t.comment('no native calls here');
    t.end();
    return;
  }
  const module = fileURLToPath(new URL('../../../agent/engine/base/', import.meta.url));
  const program = `
    import { cleanMappings } from '${module}program-pages.ts';
    import { nativeFunction } from '${module}native.ts';
    import { readFileSync } from 'node:fs';
    import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
    const madvise = nativeFunction('int madvise(uintptr_t address, size_t bytes, int advice)');
    const found = cleanMappings(readFileSync('/proc/self/smaps', 'latin1'), process.execPath);
    const before = process.memoryUsage.rss();
    const refused = found.filter(({ address, bytes }) => madvise(address, bytes, 4) !== 0).length;
    const given = before - process.memoryUsage.rss();
    const text = 'still here'.repeat(1000);
    const isSame = zstdDecompressSync(zstdCompressSync(text)).toString() === text;
    console.log(JSON.stringify({ found: found.length, refused, given, isSame }));
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', program]);
  const { found, refused, given, isSame } = JSON.parse(printed.toString()) as Record<
    string,
    unknown
  >;
  t.ok(Number(found) > 0, 'the binary of Node is mapped in large parts');
  t.equal(refused, 0);
  t.ok(Number(given) > 8 * 2 ** 20, `${String(given)} bytes were given back`);
  t.equal(isSame, true);
  t.end();
});
