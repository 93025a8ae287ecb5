// How the demo talks.

export const PASSWORD = 'only for the demo';

export function say(title: string, text: string): void {
  console.log(`  ${title.padEnd(16)}${text}`);
}
