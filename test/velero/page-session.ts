// A terminal with a checkout of the project, in which the commands of the documentation are
// entered: the real kubectl, helm and velero.

import { execFile } from 'node:child_process';
import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '#test/cluster/cluster.ts';
import { clusterProgram } from '#test/cluster/cluster-programs.ts';
import type { PageBlock } from '#test/docs/page-blocks.ts';
import { blockScript, fileIn, replacePlaceholders } from '#test/docs/page-scene.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';

const BLOCK_MS_MAX = 240_000;
const SAID_CHARACTERS_MAX = 3000;
export const SESSION_PROGRAMS = ['kubectl', 'helm', 'velero'] as const;

/** Ends with the chart taken away, however that comes. */
export class PageSession implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #home: string;

  private constructor(cluster: Cluster, home: string) {
    this.#cluster = cluster;
    this.#home = home;
  }

  static async start(cluster: Cluster): Promise<PageSession> {
    const home = await mkdtemp(join(tmpdir(), 'session-'));
    await symlink(join(REPOSITORY_ROOT, 'charts'), join(home, 'charts'));
    for (const name of SESSION_PROGRAMS) await symlink(clusterProgram(name), join(home, name));
    await symlink(process.execPath, join(home, 'node'));
    await symlink(join(REPOSITORY_ROOT, 'agent/stevedore.js'), join(home, 'stevedore'));
    await writeFile(join(home, 'state'), '');
    return new PageSession(cluster, home);
  }

  /** In this order; resolves with how long that took. @throws Error with page and line */
  async enter(blocks: readonly PageBlock[]): Promise<number> {
    const start = performance.now();
    for (const block of blocks) await this.#enterOne(block);
    return performance.now() - start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { kubeconfig } = this.#cluster.plane;
    const words = ['uninstall', 'stevedore', '--namespace=velero', '--ignore-not-found', '--wait'];
    const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: this.#home };
    await promisify(execFile)(clusterProgram('helm'), words, { env, timeout: BLOCK_MS_MAX });
  }

  async #enterOne(block: PageBlock): Promise<void> {
    const file = fileIn(block);
    if (file !== undefined) return writeFile(join(this.#home, file.name), file.text);
    const failed = await this.#run(block);
    if (failed !== undefined) throw new Error(failed);
  }

  /** What it has said, where it has failed. */
  async #run(block: PageBlock): Promise<string | undefined> {
    const state = join(this.#home, 'state');
    const text = replacePlaceholders(block.text, this.#cluster.s3);
    const script = join(this.#home, 'block.sh');
    await writeFile(script, blockScript({ ...block, text }));
    const env = {
      HOME: this.#home,
      PATH: `${this.#home}:${process.env.PATH ?? ''}`,
      KUBECONFIG: this.#cluster.plane.kubeconfig,
      STATE: state,
      LANG: 'C.UTF-8',
    };
    const words = ['-c', '. "$STATE"; exec bash "$0" 2>&1', script];
    const limits = { timeout: BLOCK_MS_MAX, env, cwd: this.#home };
    // Of a program that fails: its output, on which all it says is.
    const failed = await promisify(execFile)('bash', words, limits).then(
      () => undefined,
      (error: { stdout?: string; message: string }) => `${error.message}\n${error.stdout ?? ''}`,
    );
    if (failed === undefined) return undefined;
    const { page, line, section } = block;
    return `${page}:${line} (${section}) fails: ${failed.slice(-SAID_CHARACTERS_MAX)}`;
  }
}
