// Starts a real S3 server on a free loopback port over an empty temporary directory, for tests. The
// programs are Go modules (go.mod beside this file, build.sh installs them into out/bin); where one
// is missing, findServer says why, and the test is skipped with that reason.

import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type ServerKind = 'versitygw' | 'rclone';

export interface RunningServer {
  /** `http://host:port` */
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** What it wrote to standard output and error. */
  log(): string;
  /** Stands still, with connections open (SIGSTOP), until it is told to go on. */
  pause(): void;
  resume(): void;
  /** Bytes of all objects whose keys begin so: `bucket/directory`. */
  bytesBelow(path: string): number;
  /** Ends the process and removes its directory. Harmless twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Buckets that are there from the start; rclone takes a directory for one. */
  readonly buckets?: readonly string[];
  /** Address that it listens at; by default 127.0.0.1. */
  readonly host?: string;
}

const LOOPBACK = '127.0.0.1';
const ACCESS = 'root';
const SECRET = 'a-secret-for-tests';
const STARTS_MAX = 3;
const PROBES_MAX = 200;
const PROBE_EVERY_MS = 50;
const STOP_MS = 5000;

/** The program, or why there is none. */
export function findServer(kind: ServerKind): { program?: string; reason: string } {
  const variable = `${kind.toUpperCase()}_BIN`;
  const named = process.env[variable];
  const built = fileURLToPath(new URL('../../out/bin/', import.meta.url));
  const places = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), built];
  const candidates = named ? [named] : places.map(place => join(place, kind));
  const program = candidates.find(isProgram);
  const reason = `no ${kind}: set ${variable}, put it on the PATH, or run test/servers/build.sh`;
  return program === undefined ? { reason } : { program, reason: '' };
}

/** Resolves when the server takes connections. */
export async function startServer(
  kind: ServerKind,
  options: StartOptions = {},
): Promise<RunningServer> {
  const { program, reason } = findServer(kind);
  if (program === undefined) throw new Error(reason);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(kind, program, options);
    } catch (error) {
      // Somebody else may have taken the port between our looking and the server's binding.
      if (attempt === STARTS_MAX) throw error;
    }
  }
}

async function startOnce(
  kind: ServerKind,
  program: string,
  options: StartOptions,
): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), `${kind}-`));
  const blobs = join(directory, 'blobs');
  for (const bucket of options.buckets ?? ['bucket']) {
    await mkdir(join(blobs, bucket), { recursive: true });
  }
  const { host = LOOPBACK } = options;
  const port = await freePort();
  const logPath = join(directory, 'log');
  const logFile = openSync(logPath, 'w');
  const child = spawn(program, argumentsOf(kind, `${host}:${port}`, blobs), {
    stdio: ['ignore', logFile, logFile],
    env: { PATH: process.env.PATH, HOME: directory, RCLONE_CONFIG: join(directory, 'none.conf') },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let lastLog = '';
  const log = (): string => {
    lastLog = readIfThere(logPath) ?? lastLog;
    return lastLog;
  };
  const stop = async (): Promise<void> => {
    log();
    process.removeListener('exit', kill);
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await probe(child, { host, port });
  } catch (error) {
    const text = log();
    await stop();
    throw new Error(`${kind} did not start: ${text.slice(-2000)}`, { cause: error });
  }
  return {
    url: `http://${host}:${port}`,
    credentials: { accessKeyId: ACCESS, secretAccessKey: SECRET },
    log,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    bytesBelow: path => bytesBelow(join(blobs, path)),
    stop,
  };
}

function argumentsOf(kind: ServerKind, address: string, blobs: string): string[] {
  if (kind === 'rclone') {
    return ['serve', 's3', '--auth-key', `${ACCESS},${SECRET}`, '--addr', address, blobs];
  }
  const keys = ['--access', ACCESS, '--secret', SECRET];
  return [...keys, '--port', address, '--keep-alive', '--quiet', 'posix', blobs];
}

/** Nobody listens at it on the loopback interface now; somebody may soon. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, resolve);
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

async function probe(child: ChildProcess, place: Place): Promise<void> {
  let failure: Error | undefined;
  child.once('error', error => (failure = error));
  for (let attempt = 0; attempt < PROBES_MAX; attempt++) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`ended with status ${child.exitCode}`);
    if (await accepts(place)) return;
    await delay(PROBE_EVERY_MS);
  }
  throw new Error(`took no connection within ${PROBES_MAX * PROBE_EVERY_MS} ms`);
}

function accepts(place: Place): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(place);
    const settle = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

function bytesBelow(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile());
  return files.reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
