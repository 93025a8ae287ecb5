// The real git, asked which paths of a tree its ignore files leave out.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of no use to git or of bad influence: what the user of the machine has set. */
const ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nowhere' };

export function gitVersion(): string | undefined {
  try {
    return execFileSync('git', ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

export class GitOracle {
  readonly #root: string;
  readonly #paths: readonly string[];

  /** @param paths directories end in a slash */
  constructor(root: string, paths: readonly string[]) {
    this.#root = root;
    this.#paths = paths;
    this.#run(['init', '--quiet']);
    for (const path of paths) {
      mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
      if (!path.endsWith('/')) writeFileSync(join(root, path), '');
    }
  }

  /** The paths that an ignore file with these bytes, in this directory, leaves out. */
  ignored(text: Uint8Array, directory = ''): string[] {
    const file = join(this.#root, directory, '.gitignore');
    writeFileSync(file, text);
    const flags = ['check-ignore', '--no-index', '--stdin', '-z', '--verbose', '--non-matching'];
    // A directory without its slash: git looks at the disk to see that it is one.
    const input = this.#paths.map(path => path.replace(/\/$/, '')).join('\0');
    const words = this.#run(flags, input).split('\0');
    writeFileSync(file, '');
    return this.#paths.filter((_path, index) => {
      const pattern = words[index * 4 + 2] ?? '';
      return pattern !== '' && !pattern.startsWith('!');
    });
  }

  #run(words: readonly string[], input?: string): string {
    const options = { cwd: this.#root, input, encoding: 'utf8', stdio: 'pipe' } as const;
    try {
      return execFileSync('git', words, { ...options, env: { ...process.env, ...ENVIRONMENT } });
    } catch (error) {
      // 1 says that nothing is ignored.
      const { status, stdout } = error as { status?: number; stdout?: string };
      if (status === 1 && typeof stdout === 'string') return stdout;
      throw error;
    }
  }
}
