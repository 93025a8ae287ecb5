// kopia.repository: JSON in the clear around an encrypted part (kopia repo/format/format_blob.go).
// Here is the outside; repository-config.ts is the inside, repository-key.ts the key between.

import { goJson } from '#engine/base/json.ts';
import { openGcm, sealGcm, type RandomBytes } from './aes-gcm.ts';
import { EngineError } from '#engine/base/errors.ts';
import {
  documentBytes,
  documentText,
  failing,
  JsonFields,
  toBase64,
  unlessEmpty,
  type ExtraFields,
} from './json-fields.ts';
import { formatGcmKey, unknownAlgorithm, type PasswordKey } from './repository-key.ts';

/** The only encryption of the inner part that kopia still reads. */
export const FORMAT_ENCRYPTION = 'AES256_GCM';
/** What kopia itself can put into a pack as a replica; real ones have about 1 KiB. */
export const FORMAT_BLOB_BYTES_MAX = 65_000;

export interface FormatBlob {
  /** Who wrote it: three texts for people. */
  readonly tool: string;
  readonly buildVersion: string;
  readonly buildInfo: string;
  /** 32 random bytes, the salt of all derivations, fixed for the life of the repository. */
  readonly uniqueId: Uint8Array;
  /** A name of KEY_DERIVATIONS. */
  readonly keyDerivation: string;
  readonly encryption: string;
  readonly sealedConfig: Uint8Array;
  readonly extra?: ExtraFields;
}

/**
 * @throws REPOSITORY_FORMAT_INVALID
 * @throws ALGORITHM_UNKNOWN for an encryption other than FORMAT_ENCRYPTION
 */
export function decodeFormatBlob(bytes: Uint8Array): FormatBlob {
  const fail = failing(
    'REPOSITORY_FORMAT_INVALID',
    'kopia.repository',
    'restore it from a copy, or check that this is the repository you mean',
  );
  if (bytes.length > FORMAT_BLOB_BYTES_MAX) throw fail(`it has ${bytes.length} bytes`);
  const fields = JsonFields.parse(documentText(bytes), fail);
  const encryption = fields.text('encryption');
  if (encryption !== FORMAT_ENCRYPTION) {
    throw unknownAlgorithm('format encryption', encryption, [FORMAT_ENCRYPTION]);
  }
  const blob = {
    tool: fields.text('tool'),
    buildVersion: fields.text('buildVersion'),
    buildInfo: fields.text('buildInfo'),
    uniqueId: fields.bytes('uniqueID'),
    keyDerivation: fields.text('keyAlgo'),
    encryption,
    sealedConfig: fields.bytes('encryptedBlockFormat'),
    extra: fields.extra(),
  };
  if (blob.uniqueId.length === 0) throw fail('it has no uniqueID');
  if (blob.sealedConfig.length === 0) throw fail('its encrypted part is missing');
  return blob;
}

/** Fields in kopia's order, unknown ones behind them; two spaces of indentation, one newline. */
export function encodeFormatBlob(blob: FormatBlob): Uint8Array {
  const fields = {
    tool: blob.tool,
    buildVersion: blob.buildVersion,
    buildInfo: blob.buildInfo,
    uniqueID: toBase64(blob.uniqueId),
    keyAlgo: blob.keyDerivation,
    encryption: blob.encryption,
    encryptedBlockFormat: unlessEmpty(toBase64(blob.sealedConfig)),
    ...blob.extra,
  };
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${goJson(name)}: ${goJson(value)}`);
  return documentBytes(`{\n${lines.join(',\n')}\n}\n`);
}

/** Seals a document with the password's key: the inner JSON of kopia.repository, kopia.blobcfg. */
export function sealWithPassword(
  key: PasswordKey,
  plaintext: Uint8Array,
  random: RandomBytes,
): Uint8Array {
  return sealGcm(formatGcmKey(key), plaintext, random);
}

/**
 * The inverse of sealWithPassword.
 * @throws REPOSITORY_PASSWORD_WRONG; damage cannot be told from a wrong password
 */
export function openWithPassword(key: PasswordKey, sealed: Uint8Array): Uint8Array {
  const plaintext = openGcm(formatGcmKey(key), sealed);
  if (plaintext === undefined) {
    throw new EngineError(
      'REPOSITORY_PASSWORD_WRONG',
      'cannot open the repository: the password is wrong, or kopia.repository is damaged; check ' +
        'the password',
    );
  }
  return plaintext;
}
