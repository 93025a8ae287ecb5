/** `dist/main.js`, or undefined where there is no build of these sources (current-build.js). */
export function currentBuild(): URL | undefined;
