// The manifest for krew-index of docs/krew, filled in. Pure; build-plugin.ts makes what it names.

/** As krew names them (GOARCH). */
export const PLUGIN_ARCHITECTURES = ['amd64', 'arm64'] as const;
export type PluginArchitecture = (typeof PLUGIN_ARCHITECTURES)[number];

export interface KrewRelease {
  readonly version: string;
  readonly homepage: string;
  /** Where archives are to be had, without the name of one. */
  readonly downloads: string;
  /** SHA-256 of the archive of each architecture, in hex. */
  readonly sums: Readonly<Record<PluginArchitecture, string>>;
}

export function archiveName(version: string, architecture: PluginArchitecture): string {
  return `kubectl-stevedore-${version}-linux-${architecture}.tar.gz`;
}

/** @throws Error with what cannot be filled in, and what krew would refuse */
export function fillKrewManifest(template: string, release: KrewRelease): string {
  const { version, homepage, downloads, sums } = release;
  requireAddress(homepage);
  requireAddress(downloads);
  if (!/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/.test(version)) throw new Error(`${version} is no version`);
  const values = new Map([
    ['VERSION', version],
    ['HOMEPAGE', homepage],
  ]);
  for (const architecture of PLUGIN_ARCHITECTURES) {
    const platform = `LINUX_${architecture.toUpperCase()}`;
    const sum = sums[architecture];
    if (!/^[0-9a-f]{64}$/.test(sum)) throw new Error(`${sum} is no SHA-256 in hex`);
    const place = downloads.replace(/\/$/, '');
    values.set(`URI_${platform}`, `${place}/${archiveName(version, architecture)}`);
    values.set(`SHA256_${platform}`, sum);
  }
  const unused = new Set(values.keys());
  const filled = template.replaceAll(/\{\{ (\w+) \}\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`the template has {{ ${name} }}, which is not known`);
    unused.delete(name);
    return value;
  });
  if (unused.size > 0) throw new Error(`the template has no {{ ${[...unused].join(' }}, {{ ')} }}`);
  // What it says of itself is about the template.
  return filled.replace(/^(?:#.*\n)+/, '');
}

function requireAddress(text: string): void {
  if (URL.parse(text)?.protocol !== 'https:') throw new Error(`${text} is no https:// address`);
}
