import t from 'tap';
import {
  busyShare,
  type Pressure,
  PressureWatch,
  readPressure,
  someOfLastTenSeconds,
} from '#engine/base/pressure.ts';

t.test('what the kernel writes is understood', t => {
  const rows: readonly (readonly [string | undefined, number])[] = [
    ['some avg10=12.34 avg60=1.00 avg300=0.00 total=9\nfull avg10=99.00 avg60=0 total=1\n', 12.34],
    ['some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n', 0],
    ['some avg10=100.00 avg60=0 avg300=0 total=0', 100],
    ['full avg10=5.00 avg60=0.00 avg300=0.00 total=0\n', 0],
    ['', 0],
    [undefined, 0],
  ];
  for (const [text, percent] of rows) t.equal(someOfLastTenSeconds(text), percent, `${text}`);
  t.end();
});

t.test('the share follows the pressure, and is given back late', t => {
  // Pressure on disks and memory, the share until now, the share from now on.
  const rows: readonly (readonly [number, number, number, number])[] = [
    [0, 0, 1, 1],
    [69.9, 14.9, 1, 1],
    [70, 0, 1, 0.5],
    [0, 15, 1, 0.5],
    [90, 0, 1, 0.25],
    [0, 40, 1, 0.25],
    [100, 100, 0.25, 0.25],
    [89, 0, 0.5, 0.5],
    [90, 0, 0.5, 0.25],
    [50, 0, 0.5, 0.5],
    [48.9, 0, 0.5, 1],
    [63, 0, 0.25, 0.25],
    [62.9, 0, 0.25, 0.5],
    [48, 0, 0.25, 1],
    [0, 28, 0.25, 0.25],
    [0, 27.9, 0.25, 0.5],
  ];
  for (const [io, memory, before, after] of rows) {
    t.equal(busyShare({ io, memory }, before), after, `${io}, ${memory}, was ${before}`);
  }
  t.end();
});

t.test('a pressure that stays makes the share settle', t => {
  for (let io = 0; io <= 100; io += 0.5) {
    for (const start of [1, 0.5, 0.25]) {
      const once = busyShare({ io, memory: 0 }, start);
      t.equal(busyShare({ io, memory: 0 }, once), once, `${io} from ${start}`);
    }
  }
  t.end();
});

t.test('the machine and our own control group count, whichever is worse', t => {
  const some = (percent: number) => `some avg10=${percent}.00 avg60=0.00 avg300=0.00 total=0\n`;
  const texts: Readonly<Record<string, string>> = {
    '/proc/self/cgroup': '0::/pods/a\n',
    '/proc/pressure/io': some(10),
    '/proc/pressure/memory': some(20),
    '/sys/fs/cgroup/pods/a/io.pressure': some(30),
    '/sys/fs/cgroup/pods/a/memory.pressure': some(5),
  };
  t.strictSame(
    readPressure(path => texts[path]),
    { io: 30, memory: 20 },
  );
  t.strictSame(
    readPressure(() => undefined),
    { io: 0, memory: 0 },
  );
  t.end();
});

t.test('a watch tells of changes alone, and of none when it is over', async t => {
  const pressures: Pressure[] = [
    { io: 0, memory: 0 },
    { io: 95, memory: 0 },
    { io: 95, memory: 0 },
    { io: 0, memory: 0 },
  ];
  const { promise, resolve } = Promise.withResolvers<void>();
  const shares: number[] = [];
  const options = { read: () => pressures.shift() ?? { io: 0, memory: 0 }, intervalMs: 1 };
  const watch = new PressureWatch(share => {
    shares.push(share);
    if (share === 1) resolve();
  }, options);
  const alive = setInterval(() => {}, 1000);
  await promise;
  watch[Symbol.dispose]();
  clearInterval(alive);
  t.strictSame(shares, [0.25, 1]);
});
