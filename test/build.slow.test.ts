// dist/: what is built runs, and a build of other sources never does. On copies of the tree.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { REPOSITORY_ROOT } from './tidy/source-files.ts';

/** What a build is made of, packages aside. */
const BUILT = ['agent', 'controller', 'proto', 'package.json'];

/** What agent/engine/base/current-build.js exports. */
interface CurrentBuild {
  readonly currentBuild: () => URL | undefined;
}

interface Tree {
  readonly root: string;
  readonly source: string;
  /** Asks the tree's own copy of current-build.js. */
  readonly runsBuild: () => Promise<boolean>;
}

/** A tree with one source, and a build that says it was made from it. */
function builtTree(t: Test, below: string): Tree {
  const root = join(t.testdir(), below);
  mkdirSync(join(root, 'agent/engine/base'), { recursive: true });
  mkdirSync(join(root, 'dist'));
  const source = join(root, 'source.ts');
  writeFileSync(source, 'export {};\n');
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  const program = join(root, 'agent/engine/base/current-build.js');
  cpSync(join(REPOSITORY_ROOT, 'agent/engine/base/current-build.js'), program);
  const { size, mtimeMs } = statSync(source);
  const inputs = JSON.stringify([['source.ts', size, mtimeMs]]);
  writeFileSync(join(root, 'dist/main.inputs.json'), inputs);
  const runsBuild = async () => {
    const loaded = (await import(pathToFileURL(program).href)) as CurrentBuild;
    return loaded.currentBuild()?.href === pathToFileURL(join(root, 'dist/main.js')).href;
  };
  return { root, source, runsBuild };
}

t.test('a build runs while its sources are what it was made from', async t => {
  const tree = builtTree(t, 'tree');
  t.ok(await tree.runsBuild());
});

t.test('an edit of the same length makes the sources run', async t => {
  const tree = builtTree(t, 'tree');
  const { atimeMs, mtimeMs } = statSync(tree.source);
  utimesSync(tree.source, atimeMs / 1000, (mtimeMs + 10) / 1000);
  t.notOk(await tree.runsBuild());
});

t.test('a source of another length makes the sources run', async t => {
  const tree = builtTree(t, 'tree');
  const { atime, mtime } = statSync(tree.source);
  appendFileSync(tree.source, '\n');
  utimesSync(tree.source, atime, mtime);
  t.notOk(await tree.runsBuild());
});

t.test('a list of sources that is torn makes the sources run', async t => {
  const tree = builtTree(t, 'tree');
  writeFileSync(join(tree.root, 'dist/main.inputs.json'), '[["source.ts", 1');
  t.notOk(await tree.runsBuild());
});

t.test('below node_modules the build that came along runs', async t => {
  const tree = builtTree(t, 'node_modules/stevedore');
  writeFileSync(tree.source, 'no such text\n');
  t.ok(await tree.runsBuild());
});

t.test('the built command backs up and restores as the sources do', t => {
  const root = t.testdir({ source: { a: 'first', large: 'x'.repeat(300_000) }, repository: {} });
  const at = (path: string) => join(root, path);
  for (const name of BUILT) {
    cpSync(join(REPOSITORY_ROOT, name), at(name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), at('node_modules'));
  execFileSync(process.execPath, [at('agent/build.js')]);
  const mark = 'this is the build';
  appendFileSync(at('dist/main.js'), `console.log(${JSON.stringify(mark)});\n`);
  const repository = { STEVEDORE_REPO: `file://${at('repository')}`, STEVEDORE_PASSWORD: 'secret' };
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [at('agent/stevedore.js'), ...words, '--quiet'], {
      encoding: 'utf8',
      env: { ...process.env, STEVEDORE_DIST: undefined, ...repository },
    });
  t.match(run('repo', 'create'), mark);
  t.match(run('backup', at('source')), mark);
  t.match(run('restore', 'latest', at('target')), mark);
  execFileSync('diff', ['-r', at('source'), at('target')]);

  appendFileSync(at('controller/main.ts'), '// edited\n');
  t.match(run('snapshots'), mark, 'what another program is made from does not count');
  appendFileSync(at('agent/engine/snapshot/worker.ts'), '// edited\n');
  t.notMatch(run('snapshots'), mark, 'after an edit the sources run');
  execFileSync(process.execPath, [at('agent/build.js'), '--if-changed']);
  t.notMatch(readFileSync(at('dist/main.js'), 'utf8'), mark, 'and what has changed is built');
  appendFileSync(at('dist/main.js'), `console.log(${JSON.stringify(mark)});\n`);
  execFileSync(process.execPath, [at('agent/build.js'), '--if-changed']);
  t.match(run('snapshots'), mark, 'and what has not is not');
  t.end();
});

/** Which of what is compiled V8 takes, under the flags of each kind of program. */
const TAKEN = `
  const { compiledPath, openScript, readCompiled, readScript } =
    await import('./dist/run-compiled.js');
  const { keepProcessSmall, expectTraffic, giveFreedBack } =
    await import('./agent/engine/base/process-memory.ts');
  const isTaken = name => {
    const script = readScript('dist', name);
    const compiled = readCompiled(compiledPath('dist', name), script);
    return openScript(script, compiled).cachedDataRejected === false;
  };
  console.log('in a library', isTaken('main'), isTaken('worker'));
  keepProcessSmall();
  console.log('in a command', isTaken('worker'));
  expectTraffic();
  console.log('in an agent', isTaken('worker'));
  giveFreedBack();
  console.log('after its rest', isTaken('worker'));`;

t.test('programs and threads run by what V8 has compiled, where that is whole', t => {
  const root = t.testdir({ source: { a: 'first' }, repository: {} });
  const at = (path: string) => join(root, path);
  for (const name of BUILT) {
    cpSync(join(REPOSITORY_ROOT, name), at(name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), at('node_modules'));
  execFileSync(process.execPath, [at('agent/build.js')]);
  const options = { encoding: 'utf8', cwd: root } as const;
  const taken = execFileSync(process.execPath, ['--input-type=module', '-e', TAKEN], options);
  t.equal(
    taken,
    'in a library true true\nin a command true\nin an agent true\nafter its rest true\n',
  );

  const repository = { STEVEDORE_REPO: `file://${at('repository')}`, STEVEDORE_PASSWORD: 'secret' };
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [at('agent/stevedore.js'), ...words], {
      encoding: 'utf8',
      env: { ...process.env, STEVEDORE_DIST: undefined, ...repository },
    });
  for (const name of ['main', 'worker']) {
    writeFileSync(at(`dist/${name}-module.js`), `throw new Error('the module of ${name}');\n`);
  }
  t.equal(run('repo', 'create').status, 0, 'no module is needed for a program');
  t.equal(run('backup', at('source')).status, 0, 'nor for a thread');

  for (const program of ['worker', 'main']) {
    const compiled = readdirSync(at('dist')).filter(
      name => name.startsWith(`${program}.`) && name.endsWith('.compiled'),
    );
    for (const name of compiled) {
      const bytes = readFileSync(at(`dist/${name}`));
      bytes[bytes.length - 100] ^= 1;
      writeFileSync(at(`dist/${name}`), bytes);
    }
    t.match(run('backup', at('source')).stderr, `the module of ${program}`, 'one bit is wrong');
  }
  t.end();
});

/** Of the worker threads that a process has until it ends (proc_pid_stat(5), field 19). */
async function nicenessOfThreads(child: ChildProcess): Promise<number[]> {
  const seen = new Set<number>();
  while (child.exitCode === null) {
    for (const line of statLinesOf(child.pid)) {
      const [, fields = ''] = line.split('(WorkerThread) ');
      if (fields !== '') seen.add(Number(fields.split(' ')[16]));
    }
    await nextTurn();
  }
  return [...seen];
}

function statLinesOf(pid: number | undefined): string[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.map(task => readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'));
  } catch {
    // One has just ended.
    return [];
  }
}

t.test('a priority is that of all threads', async t => {
  const root = t.testdir({ source: { a: 'first' }, repository: {} });
  for (const name of BUILT) {
    cpSync(join(REPOSITORY_ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), join(root, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'agent/build.js')]);
  const repository = {
    STEVEDORE_REPO: `file://${join(root, 'repository')}`,
    STEVEDORE_PASSWORD: 'secret',
  };
  const env = { ...process.env, STEVEDORE_DIST: undefined, ...repository };
  const program = join(root, 'agent/stevedore.js');
  execFileSync(process.execPath, [program, 'repo', 'create'], { env, stdio: 'ignore' });
  const words = ['backup', join(root, 'source'), '--nice', '10'];
  const child = spawn(process.execPath, [program, ...words], { env, stdio: 'ignore' });
  t.strictSame(await nicenessOfThreads(child), [10]);
});

t.test('the build is ASCII, which V8 keeps in half of the memory', t => {
  const root = t.testdir();
  for (const name of BUILT) {
    cpSync(join(REPOSITORY_ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), join(root, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'agent/build.js')]);
  const files = readdirSync(join(root, 'dist')).filter(name => name.endsWith('.js'));
  t.ok(files.includes('agent.js'));
  t.ok(files.includes('controller.js'));
  files.push('main.script', 'worker.script');
  const others = files.filter(name =>
    /\P{ASCII}/u.test(readFileSync(join(root, 'dist', name), 'utf8')),
  );
  t.strictSame(others, []);
  t.end();
});

t.test('a comment may be changed for that, code may not', async t => {
  const { asciiSource } = (await import(join(REPOSITORY_ROOT, 'agent/ascii-source.js'))) as {
    asciiSource: (text: string) => string;
  };
  t.equal(
    asciiSource('let a; // \u2026s\n/** \u2026 */\nlet b;'),
    'let a; // ?s\n/** ? */\nlet b;',
  );
  t.throws(() => asciiSource('const b = /\u2026/;'), /escape what is not ASCII in: const b/);
});

t.test('the library of the build works where packages are installed', t => {
  const root = t.testdir({ source: { a: 'first' }, repository: {}, target: {} });
  const at = (path: string) => join(root, path);
  const installed = at('node_modules/stevedore');
  mkdirSync(installed, { recursive: true });
  for (const name of BUILT) {
    cpSync(join(REPOSITORY_ROOT, name), join(installed, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules'), join(installed, 'node_modules'));
  execFileSync(process.execPath, [join(installed, 'agent/build.js')]);
  writeFileSync(
    at('program.mjs'),
    `import { backup, createRepository, openRepository, restore } from 'stevedore';
    const place = { url: ${JSON.stringify(`file://${at('repository')}`)}, password: 'secret' };
    await createRepository({ ...place, owner: { user: 'me', host: 'here' } });
    await using repository = await openRepository(place);
    const source = { user: 'me', host: 'here', path: '/data' };
    await backup(repository, { path: ${JSON.stringify(at('source'))}, source });
    await restore(repository, { snapshot: 'latest', target: ${JSON.stringify(at('target'))} });`,
  );
  execFileSync(process.execPath, [at('program.mjs')]);
  execFileSync('diff', ['-r', at('source'), at('target')]);
  t.end();
});
