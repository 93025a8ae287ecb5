// What a program writes to its log, line by line, as it comes.

export type LogLine = Readonly<Record<string, unknown>>;

export interface LogLines {
  readonly lines: string[];
  /** Resolves with the first line of that message, whether it was said or is to be said. */
  readonly says: (message: string) => Promise<LogLine>;
  readonly write: (line: string) => void;
}

export function logLines(): LogLines {
  const lines: string[] = [];
  const waiting = new Map<string, (line: LogLine) => void>();
  // A line of the log is an object.
  const parse = (line: string) => JSON.parse(line) as LogLine;
  const write = (line: string) => {
    lines.push(line);
    waiting.get(String(parse(line).message))?.(parse(line));
  };
  const says = async (message: string) => {
    const said = lines.map(parse).find(line => line.message === message);
    return said ?? (await new Promise<LogLine>(done => waiting.set(message, done)));
  };
  return { lines, says, write };
}
