// By which names people call what nobody else may see: `password`, `DB_PASS`, `secret_access_key`,
// `--token`. Names of Secrets, and of their keys and files, are none: `secretName`, `tokenFile`.

/** Any of these words on its own. */
const WORDS: ReadonlySet<string> = new Set([
  ...['pass', 'pwd', 'pw', 'auth', 'authorization', 'authorisation', 'cookie', 'jwt', 'sas'],
]);
/** Wherever they stand in a name without its separators: `PGPASSWORD`, `secretAccessKey`. */
const PARTS = new RegExp(
  [
    ...['passw(?:or)?d', 'passphrase', 'passcode', 'pgpass', 'mysqlpwd', 'secret', 'token'],
    ...['credential', 'authori[sz]ation', 'connectionstring'],
    '(?:api|access|private|encryption|signing|account|session|master|shared|storage|hmac|ssh)key',
  ].join('|'),
);
/** What ends so tells where a secret is. */
const PLACES: ReadonlySet<string> = new Set([
  ...['name', 'names', 'ref', 'refs', 'file', 'files', 'path', 'dir', 'namespace', 'url', 'uri'],
]);

/** @param name of a field, a variable, a flag, or a key of a ConfigMap */
export function isSecretName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '');
  if (PLACES.has(words.at(-1) ?? '')) return false;
  return words.some(word => WORDS.has(word)) || PARTS.test(words.join(''));
}
