// What a page takes for granted, and what its placeholders stand for where it is run.

import type { RunningServer } from '#test/servers/start.ts';
import type { PageBlock } from './page-blocks.ts';

/** What is there before the first block of a page. */
export const PREPARED: Readonly<Record<string, string>> = Object.freeze({
  'README.md': '',
  'docs/cache.md': `
    export STEVEDORE_REPO=file:///backup STEVEDORE_PASSWORD=secret
    mkdir /srv/old && cp /etc/fstab /srv/old && mkdir /srv/www
    stevedore repo create && stevedore backup /srv/old`,
  // An id of the page is that of its first snapshot, and latest has what later blocks look for.
  'docs/cli.md': `
    mkdir -p /srv/www/etc /srv/www/srv /srv/www/cache /srv/db
    echo old > /srv/db/file
    for name in fstab a.conf; do echo x > /srv/www/etc/$name; done
    echo y > /srv/www/srv/file; touch /srv/www/cache/x
    echo '*.tmp' > ~/.backup-excludes
    echo '*.o' > /src/.gitignore; echo z > /src/main.c
    echo 'correct horse' > ~/.stevedore
    cd ~ && touch a.log keep.iso`,
});

const SNAPSHOT_OF_DATA =
  'kubectl -n velero get podvolumebackups -l velero.io/backup-name=first -o ' +
  `jsonpath='{.items[?(@.spec.volume=="data")].status.snapshotID}'`;

/** Few: whatever can be there by the name that a page uses is there by it. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = Object.freeze([
  [/3f9a0c12/g, '"$(stevedore snapshots -o json | grep -oE -m 1 \'[0-9a-f]{32}\' | head -1)"'],
  [/_KEY_ID=…/g, '_KEY_ID=KEY'],
  [/_ACCESS_KEY=…/g, '_ACCESS_KEY=SECRET'],
  [/"s3:\/\/([\w/]+)[^"]*"/g, '"s3://$1?endpoint=URL&region=us-east-1"'],
  [/\bSNAPSHOT\b(?!:\.)/g, `"$(${SNAPSHOT_OF_DATA} | cut -d ' ' -f 1)"`],
]);

export function replacePlaceholders(
  text: string,
  { url, credentials }: Pick<RunningServer, 'url' | 'credentials'>,
): string {
  const found = PLACEHOLDERS.reduce((text, [from, to]) => text.replace(from, to), text);
  const { accessKeyId, secretAccessKey } = credentials;
  return found
    .replaceAll('=URL', `=${url}`)
    .replaceAll('=KEY', `=${accessKeyId}`)
    .replaceAll('=SECRET', `=${secretAccessKey}`);
}

/** For the next block: exported variables and the directory go on, as in a terminal. */
const SAVE_STATE = 'export -p >$STATE; echo "cd $PWD" >>$STATE';

/**
 * A program whose lines have the numbers of the page, which ends at the first that fails. Status 3
 * says that something is done, with differences that are listed (docs/cli.md).
 */
export function blockScript({ page, line, text }: PageBlock): string {
  const failed = `echo "${page}:$LINENO: status $status"; exit $status`;
  const traps = [
    `trap 'status=$?; [ $status = 3 ] || { ${failed}; }' ERR`,
    `trap 'status=$?; ${SAVE_STATE}; [ $status = 3 ] && exit 0; exit $status' EXIT`,
  ];
  return `${'\n'.repeat(Math.max(line - 1, 0))}${traps.join('; ')}\n${text}\n`;
}

/** `# NAME.yaml` as the first line says that the rest is a file of that name. */
export function fileIn({ language, text }: PageBlock): { name: string; text: string } | undefined {
  const [first = '', ...rest] = text.split('\n');
  const name = /^# ([\w-]+\.(?:yaml|json))\b/.exec(first)?.[1];
  const isFile = language === 'yaml' && name !== undefined;
  return isFile ? { name, text: `${rest.join('\n')}\n` } : undefined;
}
