/**
 * `dist/main.js`, or another by its name; undefined where there is no build of these sources
 * (current-build.js).
 */
export function currentBuild(name?: string): URL | undefined;
