// A controller that runs reads its file again: as a ConfigMap is mounted, as symlinks that are
// swapped.

import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLog } from '#agent/log.ts';
import { readConfig } from '#controller/config.ts';
import { runController } from '#controller/run-controller.ts';
import { systemClock } from '#engine/base/clock.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { logLines } from '#test/support/log-lines.ts';

t.test('what can change holds, what is broken does not, and what cannot is named', async t => {
  const api = await startKubeEmulator({ velero: '1.18' });
  const directory = t.testdir({});
  let version = 0;
  const write = (text: string) => {
    const folder = `..v${++version}`;
    mkdirSync(join(directory, folder));
    writeFileSync(join(directory, folder, 'controller.yaml'), text);
    symlinkSync(folder, join(directory, '..next'));
    renameSync(join(directory, '..next'), join(directory, '..data'));
  };
  write('clusterSlots: 4\n');
  symlinkSync('..data/controller.yaml', join(directory, 'controller.yaml'));
  writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
  const words = [
    ...['--kubeconfig', join(directory, 'kubeconfig'), '--metrics-address', '127.0.0.1:0'],
    ...['--plaintext', '--listen-address', '127.0.0.1:0', '--lease-duration', '2s'],
    ...['--config', join(directory, 'controller.yaml')],
  ];
  const readText = (path: string) => readFileSync(path, 'utf8');
  const read = () => {
    const outcome = readConfig({ words, environment: {}, readText, columns: 80 });
    if (outcome.kind !== 'config') throw new Error('that is a text');
    return outcome.config;
  };
  const log = logLines();
  const end = new AbortController();
  const running = runController(read(), {
    log: createLog({ level: 'info', format: 'json', write: log.write }),
    ...{ clock: systemClock, version: 'test', signal: end.signal, readAgain: read },
  });
  t.teardown(async () => {
    end.abort();
    await running;
    await api.stop();
  });
  const health = await log.says('metrics are served');
  await log.says('this controller leads');
  const hasLine = async (line: string) => {
    const answer = await fetch(`http://127.0.0.1:${String(health.port)}/metrics`);
    return (await answer.text()).split('\n').includes(line);
  };
  const free = 'stevedore_controller_slots{limit="cluster",name="",state="free"}';
  t.ok(await hasLine(`${free} 4`));
  write('clusterSlots: many\n');
  await log.says('settings cannot be used: the old ones hold');
  t.ok(await hasLine(`${free} 4`));
  t.ok(await hasLine('stevedore_controller_settings_valid 0'));
  write('clusterSlots: 2\nuploadRate: 1MiB\nleaseName: other\n');
  const { settings } = await log.says('settings have changed');
  t.strictSame(settings, ['clusterSlots', 'uploadRate']);
  const needing = await log.says('settings have changed that hold after a restart alone');
  t.strictSame(needing.settings, ['leaseName']);
  t.ok(await hasLine(`${free} 2`));
  const limit = 'stevedore_controller_bandwidth_bytes_per_second{direction="upload",state="limit"}';
  t.ok(await hasLine(`${limit} 1048576`));
  t.ok(await hasLine('stevedore_controller_settings_valid 1'));
});
