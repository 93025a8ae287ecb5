import { execFileSync } from 'node:child_process';
import t from 'tap';
import { isNativeAvailable } from '#engine/base/native.ts';

const BASE = new URL('../../../agent/engine/base/', import.meta.url).href;

/** Runs text in a process of its own, whose priority it may spoil; what it prints. */
function run(text: string): unknown {
  const program = `
    import { getPriority } from 'node:os';
    import { Worker, isMainThread } from 'node:worker_threads';
    import { once } from 'node:events';
    import { nativeFunction } from '${BASE}native.ts';
    import { setIoPriority, setNice } from '${BASE}process-priority.ts';
    const syscall = nativeFunction('long syscall(long number, long which, long who, long value)');
    const ioPriority = () => syscall(process.arch === 'x64' ? 252 : 31, 1, 0, 0);
    const codeOf = work => { try { work(); } catch (error) { return error.code; } };
    ${text}
  `;
  const words = ['--input-type=module', '-e', program];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' }));
}

const onLinux = { skip: isNativeAvailable() ? false : 'native calls cannot be made here' };

t.test('nice holds for the process', async t => {
  t.strictSame(run('setNice(7); console.log(getPriority())'), 7);
});

t.test('the priority for disks holds for threads that begin afterwards', onLinux, async t => {
  const inThread = `
    const { nativeFunction } = await import('${BASE}native.ts');
    const get = nativeFunction('long syscall(long number, long which, long who, long value)');
    const { parentPort } = await import('node:worker_threads');
    parentPort.postMessage(get(process.arch === 'x64' ? 252 : 31, 1, 0, 0));
  `;
  const found = run(`
    setIoPriority({ ioClass: 'best-effort', level: 6 });
    const own = ioPriority();
    const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inThread)}));
    const [inherited] = await once(new Worker(url, { execArgv: [] }), 'message');
    setIoPriority({ ioClass: 'idle', level: 3 });
    console.log(JSON.stringify([own, inherited, ioPriority()]));
  `);
  t.strictSame(found, [(2 << 13) | 6, (2 << 13) | 6, 3 << 13]);
});

t.test('what the system refuses is wrong usage', async t => {
  t.strictSame(run('console.log(JSON.stringify(codeOf(() => setNice(1000))))'), 'USAGE');
});
