// The node-agent ConfigMap of Velero (pkg/types/node_agent.go, 1.16 to 1.18): how many moves run at
// once, and how what exposes a volume is made. Keys for mover pods of a stock agent have no effect,
// as we have none, and that is said.

import { messageOf } from '#engine/base/errors.ts';
import { isRecord } from '#engine/base/record.ts';
import { DEFAULT_EXPOSURE, EXPOSURE_KEYS, type ExposureConfig } from './exposure-config.ts';
import { matchesLabels } from '#kube/label-selector.ts';
import type { LabelSelector } from '#kube/label-selector.ts';

interface ConcurrencyRule {
  readonly nodeSelector: LabelSelector;
  readonly number: number;
}

export interface NodeAgentConfig {
  readonly globalConcurrency: number;
  readonly rules: readonly ConcurrencyRule[];
  /** Data moves of the whole cluster that are prepared at once; without it there is no limit. */
  readonly prepareQueueLength?: number;
  readonly exposure: ExposureConfig;
}

export interface ParsedNodeAgentConfig {
  readonly config: NodeAgentConfig;
  /** What was left aside, and why; to be logged once. */
  readonly notices: readonly string[];
  /** What makes a stock agent of 1.17 and later refuse to start. */
  readonly problems: readonly string[];
}

/** Stock's defaultDataPathConcurrentNum. */
const CONCURRENCY_DEFAULT = 1;

export const DEFAULT_CONFIG: NodeAgentConfig = Object.freeze({
  globalConcurrency: CONCURRENCY_DEFAULT,
  rules: Object.freeze([]),
  exposure: DEFAULT_EXPOSURE,
});

/** Keys that Velero knows and that have nothing to work on here. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = Object.freeze({
  privilegedfsbackup: 'moves run inside the agent, which makes no mover pods',
  cachepvc: 'there is one cache for all moves; see --cache-dir and --cache-limit',
});

/** `data` of the ConfigMap: exactly one entry, of any name, that holds JSON. */
export function parseNodeAgentConfig(
  data: Readonly<Record<string, string>> | undefined,
): ParsedNodeAgentConfig {
  const entries = Object.entries(data ?? {});
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    return broken(`the node-agent ConfigMap has ${entries.length} keys; it must have one`);
  }
  const [name, text] = entry;
  try {
    const json: unknown = JSON.parse(text);
    if (isRecord(json)) return new Reader(json).parse();
    return broken(`key ${name} of the node-agent ConfigMap is not a JSON object`);
  } catch (error) {
    return broken(`key ${name} of the node-agent ConfigMap is not JSON: ${messageOf(error)}`);
  }
}

/** The smallest number of the rules that match, else the global one. */
export function concurrencyFor(
  config: NodeAgentConfig,
  nodeLabels: Readonly<Record<string, string>>,
): number {
  const numbers = config.rules
    .filter(({ nodeSelector }) => matchesLabels(nodeSelector, nodeLabels))
    .map(({ number }) => number);
  return numbers.length > 0 ? Math.min(...numbers) : config.globalConcurrency;
}

function broken(problem: string): ParsedNodeAgentConfig {
  return { config: DEFAULT_CONFIG, notices: [], problems: [problem] };
}

type Json = Readonly<Record<string, unknown>>;

class Reader {
  readonly #json: Json;
  readonly #notices: string[] = [];
  readonly #problems: string[] = [];

  constructor(json: Json) {
    this.#json = json;
  }

  parse(): ParsedNodeAgentConfig {
    let config = DEFAULT_CONFIG;
    for (const [key, value] of Object.entries(this.#json)) {
      // Go's encoding/json takes keys in any case, and null for nothing.
      const name = key.toLowerCase();
      const reason = WITHOUT_EFFECT[name];
      const read = EXPOSURE_KEYS[name];
      if (value === null) continue;
      if (name === 'loadconcurrency') config = { ...config, ...this.#concurrency(key, value) };
      else if (read) {
        const exposure = { ...config.exposure, ...read(key, value, this.#problems) };
        config = { ...config, exposure };
      } else if (reason !== undefined) this.#notices.push(`${key} has no effect: ${reason}`);
      else this.#notices.push(`${key} is not known`);
    }
    return { config, notices: this.#notices, problems: this.#problems };
  }

  #concurrency(path: string, json: unknown): Omit<NodeAgentConfig, 'exposure'> {
    let { globalConcurrency, rules, prepareQueueLength } = DEFAULT_CONFIG;
    for (const [key, value] of Object.entries(this.#record(path, json))) {
      const place = `${path}.${key}`;
      const name = key.toLowerCase();
      if (name === 'globalconfig') globalConcurrency = this.#count(place, value) ?? 1;
      else if (name === 'pernodeconfig') rules = this.#rules(place, value);
      else if (name === 'preparequeuelength') {
        prepareQueueLength = this.#count(place, value);
      } else this.#notices.push(`${place} is not known`);
    }
    return { globalConcurrency, rules, prepareQueueLength };
  }

  #rules(path: string, json: unknown): ConcurrencyRule[] {
    if (json === null) return [];
    if (!Array.isArray(json)) {
      this.#problems.push(`${path} is not a list`);
      return [];
    }
    return json.flatMap((item: unknown, index) => this.#rule(`${path}[${index}]`, item) ?? []);
  }

  #rule(path: string, json: unknown): ConcurrencyRule | undefined {
    const fields = new Map(
      Object.entries(this.#record(path, json)).map(([key, value]) => [key.toLowerCase(), value]),
    );
    for (const key of fields.keys()) {
      if (key !== 'number' && key !== 'nodeselector')
        this.#notices.push(`${path}.${key} is not known`);
    }
    const number = this.#count(`${path}.number`, fields.get('number'));
    const nodeSelector = this.#selector(`${path}.nodeSelector`, fields.get('nodeselector') ?? {});
    return number === undefined || nodeSelector === undefined
      ? undefined
      : { number, nodeSelector };
  }

  /** Stock leaves a rule with a bad selector aside, and so do we. */
  #selector(path: string, json: unknown): LabelSelector | undefined {
    // Its shape is what matchesLabels reads; that throws for what cannot be understood.
    const selector = this.#record(path, json) as LabelSelector;
    try {
      matchesLabels(selector, {});
      return selector;
    } catch (error) {
      this.#notices.push(`${path} is left aside: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** A number below one is left aside, a value that is no number is an error, as in stock. */
  #count(path: string, value: unknown): number | undefined {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    if (typeof value === 'number' && Number.isInteger(value)) {
      this.#notices.push(`${path} is left aside: ${value} is less than one`);
    } else this.#problems.push(`${path} is not a whole number`);
    return undefined;
  }

  #record(path: string, value: unknown): Json {
    if (isRecord(value)) return value;
    this.#problems.push(`${path} is not an object`);
    return {};
  }
}
