// The file of keys that Amazon's tools share, as far as it holds keys: `[profile]`, then
// `aws_access_key_id = …`. Roles and programs that a profile may name instead are left to the SDK.

import type { S3Credentials } from '#engine/index.ts';

const SECTION = /^\[\s*(?:profile\s+)?([^\]]*?)\s*\]/;

/** The keys of a profile; undefined when it is not there or has none of its own. */
export function keysOfProfile(text: string, profile: string): S3Credentials | undefined {
  const values = valuesOfProfile(text, profile);
  const accessKeyId = values.get('aws_access_key_id') ?? '';
  const secretAccessKey = values.get('aws_secret_access_key') ?? '';
  if (accessKeyId === '' || secretAccessKey === '') return undefined;
  // With a role the keys are those of whoever takes it on.
  if (values.has('role_arn')) return undefined;
  const sessionToken = values.get('aws_session_token');
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

function valuesOfProfile(text: string, profile: string): Map<string, string> {
  const values = new Map<string, string>();
  let isInside = false;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    const section = SECTION.exec(trimmed)?.[1];
    if (section !== undefined) {
      isInside = section === profile;
      continue;
    }
    const equals = trimmed.indexOf('=');
    if (!isInside || equals < 0) continue;
    const name = trimmed.slice(0, equals).trim().toLowerCase();
    // A comment in a line begins behind a blank; keys may hold # and ; themselves.
    const value = trimmed.slice(equals + 1).replace(/\s[#;].*$/, '');
    values.set(name, value.trim());
  }
  return values;
}
