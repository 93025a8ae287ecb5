// The log of the agent: one line for each change of state, JSON for machines or text for people.
// The only file that imports pino.
//
//     log.info({ move, bytes, durationMs }, 'snapshot uploaded');
//
// The message is constant, values stand in keys. No secret gets out: keys that are named like one
// are emptied, and values that were handed to hide() are replaced wherever they stand.

import { pino } from 'pino';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { safeText } from '#engine/cli/terminal-text.ts';
import { secretKeys, SecretTexts } from './log-secrets.ts';

export type LogKeys = Readonly<Record<string, unknown>>;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface Log {
  debug(keys: LogKeys, message: string): void;
  info(keys: LogKeys, message: string): void;
  warn(keys: LogKeys, message: string): void;
  /** An `error` among the keys is written with its code and details. */
  error(keys: LogKeys, message: string): void;
  /** The same log with keys that each line then has. */
  with(keys: LogKeys): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Takes one line at a time, the newline with it. */
  readonly write: (line: string) => void;
  /** Texts that must not get out; the caller adds to it as they become known. */
  readonly secrets?: SecretTexts;
  readonly nowMs?: () => number;
}

export function createLog(options: LogOptions): Log {
  const { level, format, write, secrets = new SecretTexts(), nowMs = Date.now } = options;
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: errorKeys },
      redact: { paths: secretKeys(), censor: '[hidden]' },
    },
    {
      write: line => {
        const hidden = secrets.hideInJson(line);
        write(format === 'json' ? hidden : textLine(hidden));
      },
    },
  );
  return wrap(root);
}

/** Only what the interface names, and `error` for what was thrown. */
function wrap(root: pino.Logger): Log {
  return {
    debug: (keys, message) => root.debug(keys, message),
    info: (keys, message) => root.info(keys, message),
    warn: (keys, message) => root.warn(keys, message),
    error: (keys, message) => root.error(keys, message),
    with: keys => wrap(root.child(keys)),
  };
}

function errorKeys(error: unknown): LogKeys {
  if (error instanceof EngineError) {
    const { code, message, details, cause } = error;
    return { code, message, ...details, cause: cause === undefined ? undefined : messageOf(cause) };
  }
  // Ours to find: only here a stack is of use.
  return { message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}

const LEVEL_WIDTH = 5;

/** `2026-11-26T12:00:00.000Z INFO  snapshot uploaded bytes=12 move="velero/a b"` */
function textLine(line: string): string {
  const parsed: unknown = JSON.parse(line);
  // What pino has written is an object, with the keys that are set above.
  const { level, time, message, ...keys } = parsed as Record<string, unknown>;
  const pairs = Object.entries(keys).map(([key, value]) => ` ${key}=${valueText(value)}`);
  const name = String(level).toUpperCase().padEnd(LEVEL_WIDTH);
  return `${String(time)} ${name} ${safeText(String(message))}${pairs.join('')}\n`;
}

function valueText(value: unknown): string {
  if (typeof value !== 'string') return safeText(JSON.stringify(value));
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(safeText(value));
}
