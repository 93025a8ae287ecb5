// etcd and kube-apiserver on the loopback interface, for tests that need no node: real validation,
// conflicts, watches and RBAC. Needs neither root nor a certificate authority: the API server makes
// its own certificate, and everybody comes with a token.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#test/servers/start.ts';
import { ApiClient, type ServerAddress } from './api-client.ts';
import { ChildProgram } from './child-program.ts';
import { clusterProgram, isMissing } from './cluster-programs.ts';

const ETCD_MS_MAX = 30_000;
const API_SERVER_MS_MAX = 120_000;
const STARTS_MAX = 3;
const SERVICE_NETWORK = '10.96.0.0/16';

export interface ControlPlaneOptions {
  /** Where the API server listens, and which address it tells others; by default on loopback. */
  readonly listen?: { readonly bind: string; readonly advertise: string; readonly port: number };
  /** Directory for logs that shall stay; by default they go with the rest. */
  readonly logs?: string;
}

export interface ControlPlane extends AsyncDisposable {
  /** Path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  readonly client: ApiClient;
  /** For files and logs of what belongs to the cluster; goes when it stops. */
  readonly directory: string;
  /** Ends the processes, and removes their data. Harmless twice. */
  stop(): Promise<void>;
}

/** Why there can be none here; false where there can. */
export function controlPlaneIsMissing(): string | false {
  return isMissing('setpriv', 'etcd', 'kube-apiserver');
}

/** Resolves when the API server is ready, after some ten seconds. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Somebody else may have taken a port between our looking and a server's binding.
      if (attempt === STARTS_MAX || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOnce(options: ControlPlaneOptions): Promise<ControlPlane> {
  const directory = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const { listen, logs = directory } = options;
  const programs: ChildProgram[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(programs.map(program => program.stop()));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const etcd = await startEtcd({ directory, logs, programs });
    const { bind, advertise, port } = listen ?? { ...LOOPBACK, port: await freePort() };
    const words = await apiServerWords(directory);
    words.push(`--etcd-servers=${etcd}`, `--bind-address=${bind}`, `--secure-port=${port}`);
    words.push(`--advertise-address=${advertise}`);
    // Loopback addresses may not be told to others.
    if (listen === undefined) words.push('--endpoint-reconciler-type=none');
    const url = `https://${advertise}:${port}`;
    const address = await startApiServer({ directory, logs, programs }, { words, url });
    const client = new ApiClient(address);
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigText(address), { mode: 0o600 });
    const dispose = async (): Promise<void> => {
      client[Symbol.dispose]();
      await stop();
    };
    return { kubeconfig, client, directory, stop: dispose, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await stop();
    throw error;
  }
}

const LOOPBACK = Object.freeze({ bind: '127.0.0.1', advertise: '127.0.0.1' });

interface Place {
  readonly directory: string;
  readonly logs: string;
  /** What has been started; grows. */
  readonly programs: ChildProgram[];
}

async function startEtcd({ directory, logs, programs }: Place): Promise<string> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const words = [`--data-dir=${join(directory, 'etcd')}`, '--unsafe-no-fsync'];
  words.push(`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`);
  words.push(`--listen-peer-urls=http://127.0.0.1:${await freePort()}`);
  const etcd = new ChildProgram(clusterProgram('etcd'), words, { logs });
  programs.push(etcd);
  await etcd.ready(async () => {
    const health = await fetch(`${url}/health`).catch(() => undefined);
    return health?.ok === true;
  }, ETCD_MS_MAX);
  return url;
}

/** All but where things are; makes the files that the words name. */
async function apiServerWords(directory: string): Promise<string[]> {
  const key = join(directory, 'service-accounts.key');
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await writeFile(key, pair.privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'service-accounts.pub'), pair.publicKey);
  await mkdir(join(directory, 'certificates'));
  return [
    `--cert-dir=${join(directory, 'certificates')}`,
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${key}`,
    `--service-account-key-file=${join(directory, 'service-accounts.pub')}`,
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    // Nobody knows nodes by name: for `kubectl logs` and `kubectl exec`.
    '--kubelet-preferred-address-types=InternalIP',
  ];
}

async function startApiServer(
  { directory, logs, programs }: Place,
  { words, url }: { readonly words: readonly string[]; readonly url: string },
): Promise<ServerAddress> {
  const token = randomBytes(16).toString('hex');
  const admin = `${token},admin,admin,system:masters\n`;
  await writeFile(join(directory, 'tokens.csv'), admin, { mode: 0o600 });
  const server = new ChildProgram(clusterProgram('kube-apiserver'), words, { logs });
  programs.push(server);
  const certificate = join(directory, 'certificates', 'apiserver.crt');
  let address: ServerAddress | undefined;
  await server.ready(async () => {
    // It makes the certificate, its own authority's with it, before it listens.
    const ca = await readFile(certificate, 'utf8').catch(() => undefined);
    if (ca === undefined) return false;
    address = { url, ca, token };
    using client = new ApiClient(address);
    return await client.answers('/readyz');
  }, API_SERVER_MS_MAX);
  if (address === undefined) throw new Error('kube-apiserver is ready without a certificate');
  return address;
}

function kubeconfigText({ url, ca, token }: ServerAddress): string {
  const authority = Buffer.from(ca).toString('base64');
  const cluster = { server: url, 'certificate-authority-data': authority };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
