// Where the version stands: each file, and how it reads with another one.

interface VersionPlace {
  readonly path: string;
  /** The version is between the two groups. */
  readonly pattern: RegExp;
  readonly count: number;
}

const OWN = /("name": "stevedore",\n\s+"version": ")[^"]+(")/g;

export const VERSION_PLACES: readonly VersionPlace[] = Object.freeze([
  { path: 'package.json', pattern: OWN, count: 1 },
  // Of the project, and of its entry among the packages.
  { path: 'package-lock.json', pattern: OWN, count: 2 },
  {
    path: 'charts/stevedore/Chart.yaml',
    pattern: /^((?:version: |appVersion: '))[^'\n]+('?)$/gm,
    count: 2,
  },
  { path: 'Dockerfile', pattern: /(image\.version=")[^"]+(")/g, count: 1 },
]);

const VERSION = /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/;

/** @throws Error when `version` is none, or does not stand where it should */
export function withVersion(place: VersionPlace, text: string, version: string): string {
  if (!VERSION.test(version)) throw new Error(`${version} is no version such as 1.2.3`);
  const found = [...text.matchAll(place.pattern)].length;
  if (found !== place.count) {
    throw new Error(`${place.path} has ${found} versions of ours, and should have ${place.count}`);
  }
  return text.replace(place.pattern, `$1${version}$2`);
}
