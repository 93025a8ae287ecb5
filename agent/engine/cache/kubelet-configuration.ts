// Where the kubelet of this node draws its lines: read from its configuration, and again when that
// has changed. What reads YAML is loaded when there is something to read.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#engine/base/clock.ts';
import { messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { DEFAULT_EVICTION_LINES, evictionLinesOf } from './eviction-lines.ts';
import type { EvictionLine } from './limit.ts';

/** Where kubeadm, and most of those who do not use it, put it. */
export const KUBELET_CONFIGURATION = '/var/lib/kubelet/config.yaml';
/** Of the kubelet's `--config-dir`, as its documentation has it. */
export const KUBELET_DROP_INS = '/etc/kubernetes/kubelet.conf.d';
const CONFIGURATION_BYTES_MAX = 1024 * 1024;
/** Between two looks at whether it has changed. */
const LOOK_INTERVAL_MS = 10_000;

export interface FoundLines {
  readonly lines: readonly EvictionLine[];
  /** For people: `settings`, paths of files, or the kubelet's defaults and why those. */
  readonly origin: string;
}

export interface KubeletFiles {
  /** The default stands in for a path that is not given, and need not be there. */
  readonly path?: string;
  readonly dropIns?: string;
}

const DEFAULTS: FoundLines = Object.freeze({
  lines: DEFAULT_EVICTION_LINES,
  origin: 'defaults of the kubelet',
});

/** Later files win, signal by signal (kubernetes cmd/kubelet/app/server.go, --config-dir). */
export async function readKubeletLines(files: KubeletFiles): Promise<FoundLines> {
  const { path = KUBELET_CONFIGURATION, dropIns = KUBELET_DROP_INS } = files;
  const isAsked = files.path !== undefined;
  const hard: Record<string, unknown> = {};
  const read: string[] = [];
  const unread: string[] = [];
  for (const each of [path, ...(await dropInsOf(dropIns))]) {
    try {
      const found = await evictionHardIn(each);
      if (found === undefined) continue;
      Object.assign(hard, found);
      read.push(each);
    } catch (error) {
      const isAbsent = systemCodeOf(error) === 'ENOENT' && !(isAsked && each === path);
      if (!isAbsent) unread.push(`${each} cannot be read: ${messageOf(error).split('\n')[0]}`);
    }
  }
  const origin = [...(read.length > 0 ? read : [DEFAULTS.origin]), ...unread].join(', ');
  return { lines: evictionLinesOf(hard), origin };
}

/** Keeps what was read, and looks now and then whether it is still what is there. */
export class KubeletLines {
  readonly #clock: Clock;
  #files: KubeletFiles = {};
  #found = DEFAULTS;
  #state: string | undefined;
  #lookAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get found(): FoundLines {
    return this.#found;
  }

  async look(files: KubeletFiles): Promise<FoundLines> {
    const nowMs = this.#clock.monotonic();
    const isSame = files.path === this.#files.path && files.dropIns === this.#files.dropIns;
    if (isSame && nowMs < this.#lookAtMs) return this.#found;
    this.#files = files;
    this.#lookAtMs = nowMs + LOOK_INTERVAL_MS;
    const state = await stateOf(files);
    if (isSame && state === this.#state) return this.#found;
    this.#state = state;
    this.#found = await readKubeletLines(files);
    return this.#found;
  }
}

/** Names, sizes and times of the files that count; changes when one of them does. */
async function stateOf(files: KubeletFiles): Promise<string> {
  const { path = KUBELET_CONFIGURATION, dropIns = KUBELET_DROP_INS } = files;
  const states = [path, ...(await dropInsOf(dropIns))].map(async each => {
    const found = await stat(each, { bigint: true }).catch(() => undefined);
    return found && `${each}:${found.ino}:${found.size}:${found.mtimeNs}`;
  });
  return (await Promise.all(states)).join('\n');
}

/** The kubelet takes files whose names end in .conf, in the order of their names. */
async function dropInsOf(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter(name => name.endsWith('.conf'))
    .sort()
    .map(name => join(directory, name));
}

/** Undefined where the file does not speak of it. */
async function evictionHardIn(path: string): Promise<object | undefined> {
  const { size } = await stat(path);
  if (size > CONFIGURATION_BYTES_MAX) throw new Error(`it is larger than 1 MiB`);
  const text = await readFile(path, 'utf8');
  const { parseYaml } = await import('#engine/base/yaml.ts');
  const parsed = parseYaml(text, path);
  if (parsed === null || parsed === undefined) throw new Error('it is empty');
  if (typeof parsed !== 'object') throw new Error('it is no configuration');
  const hard: unknown = 'evictionHard' in parsed ? parsed.evictionHard : undefined;
  return typeof hard === 'object' && hard !== null ? hard : undefined;
}
