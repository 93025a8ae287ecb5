// Images of one layer, packed from a directory and given to containerd: no registry is asked.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packTar } from '#release/pack-tar.ts';
import { clusterProgram } from './cluster-programs.ts';

const run = promisify(execFile);
const PROGRAM_MS_MAX = 120_000;

export interface Image {
  /** With a registry, which nobody asks: `test.local/pause:1`. */
  readonly name: string;
  /** Becomes `/`. */
  readonly root: string;
  readonly entrypoint: readonly string[];
  /** `uid:gid`; root where there is none. */
  readonly user?: string;
}

/** Into the images of Kubernetes of the containerd that listens at `socket`. */
export async function importImage(image: Image, socket: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'image-'));
  const layer = join(directory, 'layer.tar');
  packTar(image.root, layer);
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Env: ['PATH=/usr/local/bin:/bin:/'],
      Entrypoint: image.entrypoint,
      WorkingDir: '/',
      User: image.user ?? '',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256Of(layer)}`] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [image.name], Layers: ['layer.tar'] }];
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(directory, 'image.tar');
  const parts = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['-C', directory, '-cf', archive, ...parts], { timeout: PROGRAM_MS_MAX });
  const words = ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', '--local'];
  await run(clusterProgram('ctr'), [...words, archive], { timeout: PROGRAM_MS_MAX });
  await rm(directory, { recursive: true });
}

/** Another name for one that is there. */
export async function tagImage(name: string, other: string, socket: string): Promise<void> {
  const words = ['--address', socket, '--namespace', 'k8s.io', 'images', 'tag', '--force'];
  await run(clusterProgram('ctr'), [...words, name, other], { timeout: PROGRAM_MS_MAX });
}

/** A directory with these files of the machine: path inside → path outside. */
export async function packRoot(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'root-'));
  for (const directory of ['tmp', 'etc', 'bin', 'root', 'home/cnb']) {
    await mkdir(join(root, directory), { recursive: true, mode: 0o1777 });
  }
  // What stock Velero's image calls its user, whose home is where it keeps things.
  const users = 'root:x:0:0::/root:/bin/sh\ncnb:x:1002:1000::/home/cnb:/bin/sh\n';
  await writeFile(join(root, 'etc/passwd'), users);
  await run('chmod', ['0777', join(root, 'home/cnb'), join(root, 'tmp')]);
  for (const [inside, outside] of Object.entries(files)) {
    await mkdir(join(root, inside, '..'), { recursive: true });
    await run('cp', ['--archive', '--dereference', outside, join(root, inside)]);
  }
  return root;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
