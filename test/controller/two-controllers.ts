// Two controllers as processes of their own, as a Deployment runs them, behind what a Service is to
// agents: an address whose connections go to one of them in turn, and to none that is gone.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { type Authority, makeAuthority, makePair } from '#test/support/certificates.ts';
import { ServiceProcess } from '#test/support/service-process.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import type { Target } from './wire-agent.ts';

export interface Replica {
  readonly process: ServiceProcess;
  readonly port: number;
  readonly served: (path: string) => Promise<string>;
}

export class TwoControllers {
  readonly api: KubeEmulator;
  readonly authority: Authority = makeAuthority();
  readonly replicas: Replica[] = [];
  readonly #directory: string;
  readonly #server: Server = createServer(socket => this.#forward(socket));
  #turn = 0;

  constructor(api: KubeEmulator, directory: string) {
    this.api = api;
    this.#directory = directory;
    mkdirSync(join(directory, 'tls'));
    writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig());
    this.putCertificate();
  }

  get tlsDir(): string {
    return join(this.#directory, 'tls');
  }

  get target(): Target {
    // Of a TCP server that listens, the address is an AddressInfo (node:net).
    const { port } = this.#server.address() as AddressInfo;
    return { api: this.api, host: 'localhost', port, trust: { caPem: this.authority.certificate } };
  }

  /** A new one in place of the old, as cert-manager renews it. */
  putCertificate(): void {
    const { certificate, key } = makePair(this.authority);
    writeFileSync(join(this.tlsDir, 'tls.crt'), certificate);
    writeFileSync(join(this.tlsDir, 'tls.key'), key);
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async start(...flags: readonly string[]): Promise<Replica> {
    const process = new ServiceProcess([
      ...['controller', '--kubeconfig', join(this.#directory, 'kubeconfig')],
      ...['--tls-dir', this.tlsDir, '--listen-address', '127.0.0.1:0'],
      ...['--metrics-address', '127.0.0.1:0', ...flags],
    ]);
    const says = (message: string) => process.lineWith(line => line.message === message);
    const [{ port }, health] = [await says('agents may connect'), await says('metrics are served')];
    const served = async (path: string) =>
      await (await fetch(`http://127.0.0.1:${String(health.port)}${path}`)).text();
    const replica = { process, port: Number(port), served };
    this.replicas.push(replica);
    return replica;
  }

  async stop(): Promise<void> {
    for (const { process } of this.replicas) await process[Symbol.asyncDispose]();
    this.#server.close();
    await this.api.stop();
  }

  #forward(socket: Socket, failedCount = 0): void {
    const { port } = this.replicas[this.#turn++ % this.replicas.length];
    const onward = connect(port, '127.0.0.1');
    let isThere = false;
    onward.once('connect', () => {
      isThere = true;
      socket.pipe(onward).pipe(socket);
    });
    socket.on('error', () => onward.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => {
      // One that is gone is no endpoint of the Service any more.
      if (!isThere && failedCount < this.replicas.length) this.#forward(socket, failedCount + 1);
      else socket.destroy();
    });
    onward.on('error', () => undefined);
  }
}

export async function startTwo(t: Test, ...flags: readonly string[]): Promise<TwoControllers> {
  const api = await startKubeEmulator({ velero: '1.18' });
  const both = new TwoControllers(api, t.testdir({}));
  t.teardown(() => both.stop());
  await both.listen();
  const first = await both.start(...flags);
  await leads(first);
  const second = await both.start(...flags);
  await second.process.lineWith(({ message }) => message === 'this controller stands by');
  return both;
}

/** The epoch in which it does, when it does. */
export async function leads({ process }: Replica): Promise<number> {
  const { epoch } = await process.lineWith(({ message }) => message === 'this controller leads');
  return Number(epoch);
}

/** What the program says of words with which it does not start. */
export function refusedStart(...words: readonly string[]) {
  const program = join(REPOSITORY_ROOT, 'agent/stevedore.js');
  const { status, stderr } = spawnSync(process.execPath, [program, 'controller', ...words], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  return { status, stderr };
}
