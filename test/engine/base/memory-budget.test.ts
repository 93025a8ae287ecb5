import t from 'tap';
import { controlGroupBytes, defaultMemoryBytes } from '#engine/base/memory-budget.ts';
import { MEMORY_BYTES_MIN, MIB } from '#engine/base/memory-plan.ts';

const GIB = 1024 * MIB;

function files(texts: Readonly<Record<string, string>>) {
  return (path: string) => (Object.hasOwn(texts, path) ? texts[path] : undefined);
}

const V2 = '/sys/fs/cgroup';
const V1 = '/sys/fs/cgroup/memory';

t.test('the least limit on the way up counts, in both versions', t => {
  const rows: readonly (readonly [string, Record<string, string>, number | undefined])[] = [
    ['no control groups', {}, undefined],
    [
      'version 2, no limit',
      { '/proc/self/cgroup': '0::/a\n', [`${V2}/a/memory.max`]: 'max\n' },
      undefined,
    ],
    [
      'version 2, its own',
      { '/proc/self/cgroup': '0::/a/b\n', [`${V2}/a/b/memory.max`]: '1000\n' },
      1000,
    ],
    [
      'version 2, one above',
      {
        '/proc/self/cgroup': '0::/a/b\n',
        [`${V2}/a/b/memory.max`]: '2000\n',
        [`${V2}/a/memory.max`]: '1500\n',
      },
      1500,
    ],
    [
      'a container that sees its own as the root',
      { '/proc/self/cgroup': '0::/\n', [`${V2}/memory.max`]: '700\n' },
      700,
    ],
    [
      'a container that sees a path of the host',
      { '/proc/self/cgroup': '0::/kubepods/pod1\n', [`${V2}/memory.max`]: '700\n' },
      700,
    ],
    [
      'version 1',
      {
        '/proc/self/cgroup': '5:cpu,memory:/x\n4:pids:/x\n',
        [`${V1}/x/memory.limit_in_bytes`]: '900\n',
      },
      900,
    ],
    [
      'version 1, no limit',
      {
        '/proc/self/cgroup': '5:memory:/x\n',
        [`${V1}/x/memory.limit_in_bytes`]: '9223372036854771712\n',
      },
      undefined,
    ],
    [
      'text that is no number',
      { '/proc/self/cgroup': '0::/\n', [`${V2}/memory.max`]: '12k\n' },
      undefined,
    ],
    ['an empty file', { '/proc/self/cgroup': '0::/\n', [`${V2}/memory.max`]: '' }, undefined],
  ];
  for (const [name, texts, bytes] of rows) t.equal(controlGroupBytes(files(texts)), bytes, name);
  t.end();
});

t.test('the budget leaves room, and is never less than what works', t => {
  const limited = (bytes: number, availableKib: number) =>
    defaultMemoryBytes(
      files({
        '/proc/self/cgroup': '0::/\n',
        [`${V2}/memory.max`]: `${bytes}\n`,
        '/proc/meminfo': `MemTotal: 9 kB\nMemAvailable:   ${availableKib} kB\n`,
      }),
    );
  t.equal(limited(GIB, 8 * 2 ** 20), Math.floor(GIB * 0.85), 'most of the limit');
  t.equal(limited(8 * GIB, 2 ** 20), GIB / 2, 'half of what is to spare where that is less');
  t.equal(limited(100 * MIB, 2 ** 20), MEMORY_BYTES_MIN);
  t.equal(defaultMemoryBytes(files({})), GIB, 'where nothing is known');
  t.ok(defaultMemoryBytes() >= MEMORY_BYTES_MIN, 'on this machine');
  t.end();
});
