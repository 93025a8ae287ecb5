// What is in the image, on top of its base with Node and glibc: said here once, for the Dockerfile,
// the test cluster and the bill of materials.

/** As a package that npm has installed: there the build runs, whatever the times of its files. */
export const PACKAGE_PLACE = 'usr/local/lib/node_modules/stevedore';

/** Of this repository, at the same paths below PACKAGE_PLACE; packages come beside them. */
export const IMAGE_PARTS = Object.freeze([
  'LICENSE',
  'package.json',
  'agent/stevedore.js',
  'agent/engine/base/begin-thread.js',
  'agent/engine/base/current-build.js',
  'dist',
]);

/** `stevedore`, and the name by which Velero's own DaemonSet starts its image. */
export const IMAGE_COMMANDS = Object.freeze(['usr/local/bin/stevedore', 'velero']);
export const COMMAND_PLACE = `${PACKAGE_PLACE}/agent/stevedore.js`;

/** Bill of materials and licences. */
export const DOCUMENTS_PLACE = 'usr/share/doc/stevedore';

/** Asked for in a checkout alone (current-build.js), and full of times of files. */
const LISTS_OF_INPUTS = /^dist\/.*\.inputs\.json$/;
/** What V8 has compiled ahead; no two builds of it are the same (docs/adr/0009-…). */
const COMPILED = /^dist\/.*\.compiled$/;

/** @param path from the root of the repository */
export function isInImage(path: string, options: { readonly isCompiled: boolean }): boolean {
  return !LISTS_OF_INPUTS.test(path) && (options.isCompiled || !COMPILED.test(path));
}
