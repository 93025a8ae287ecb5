// Contents with prefix m: batches of labelled JSON documents, gzipped (kopia repo/manifest). Later
// entries of an id replace earlier ones, and an entry can say that its id is deleted. A document's
// JSON is kept as it stands: whoever rewrites a batch must not lose fields it does not know.

import { gunzipSync, gzipSync } from 'node:zlib';
import { EngineError } from '#engine/base/errors.ts';
import { goJson, goString } from '#engine/base/json.ts';
import { toHex } from '#engine/base/bytes.ts';
import { formatTimestamp } from '#engine/base/timestamp.ts';
import type { RandomBytes } from './aes-gcm.ts';
import { jsonElements, jsonMembers, parseExactJson } from './exact-json.ts';
import {
  documentBytes,
  documentText,
  failing,
  isJsonObject,
  JsonFields,
  sortedMap,
  type ExtraFields,
  type Fail,
} from './json-fields.ts';

/** Every manifest has a label of this name; without it nobody finds it. */
export const TYPE_LABEL = 'type';
/** From this many m contents on, kopia rewrites them as one. */
export const MANIFEST_COMPACTION_COUNT = 16;

const ID_BYTES = 16;
const BATCH_BYTES_MAX = 256 * 2 ** 20;

export type Labels = Readonly<Record<string, string>>;

export interface ManifestEntry {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly labels: Labels;
  readonly modifiedNs: bigint;
  readonly isDeleted: boolean;
  /** The document as JSON text; `null` for deletions. */
  readonly data: string;
  readonly extra?: ExtraFields;
}

export function newManifestId(random: RandomBytes): string {
  return toHex(random(ID_BYTES));
}

/** The entry that deletes a manifest. It must be later than every entry of that id. */
export function deletionOf(id: string, modifiedNs: bigint): ManifestEntry {
  return { id, labels: {}, modifiedNs, isDeleted: true, data: 'null' };
}

/** A batch as the plaintext of a content; the order of entries has no meaning. */
export function encodeManifests(entries: readonly ManifestEntry[]): Uint8Array {
  const texts = entries.map(encodeEntry);
  return new Uint8Array(gzipSync(documentBytes(`{"entries":[${texts.join(',')}]}\n`)));
}

function encodeEntry(entry: ManifestEntry): string {
  const labels = sortedMap(entry.labels);
  const deleted = entry.isDeleted ? ',"deleted":true' : '';
  const extra = entry.extra === undefined ? '' : `,${goJson(entry.extra).slice(1, -1)}`;
  return (
    `{"id":${goString(entry.id)},"labels":${labels === undefined ? 'null' : goJson(labels)},` +
    `"modified":"${formatTimestamp(entry.modifiedNs)}"${deleted},"data":${entry.data}${extra}}`
  );
}

/**
 * @param name what the content is called in messages, its id
 * @throws MANIFEST_DAMAGED
 */
export function decodeManifests(plaintext: Uint8Array, name: string): ManifestEntry[] {
  const advice = 'all snapshots depend on it; restore its pack from a copy';
  const fail = failing('MANIFEST_DAMAGED', `manifest content ${name}`, advice);
  const text = documentText(unzip(plaintext, fail));
  checkJson(text, fail);
  const members = jsonMembers(text);
  const [entries] = members;
  if (entries === undefined) return [];
  if (members.length > 1 || entries[0].toLowerCase() !== 'entries' || !entries[1].startsWith('[')) {
    throw fail('it holds something else than one list of entries');
  }
  return jsonElements(entries[1]).map(element => decodeEntry(element, fail));
}

/** Documents are not parsed before somebody wants them: there can be ten thousands of them. */
function decodeEntry(text: string, fail: Fail): ManifestEntry {
  if (!text.startsWith('{')) throw fail('an entry is not an object');
  const members = jsonMembers(text);
  const isData = ([name]: readonly [string, string]) => name.toLowerCase() === 'data';
  const others = members.filter(member => !isData(member));
  const values = others.map(([name, value]) => [name, parseExactJson(value)] as const);
  const fields = new JsonFields(Object.fromEntries(values), fail);
  const id = fields.text('id');
  const modifiedNs = fields.timestampNs('modified');
  if (id === '') throw fail('an entry has no id');
  if (modifiedNs === undefined) throw fail(`entry ${id} has no time of modification`);
  return {
    id,
    labels: fields.textMap('labels'),
    modifiedNs,
    isDeleted: fields.boolean('deleted'),
    data: members.findLast(isData)?.[1] ?? 'null',
    extra: fields.extra(),
  };
}

/** After this the text can be taken apart by jsonMembers. */
function checkJson(text: string, fail: Fail): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail('it is not JSON', cause);
  }
  if (!isJsonObject(value)) throw fail('it is not a JSON object');
}

function unzip(bytes: Uint8Array, fail: Fail): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: BATCH_BYTES_MAX });
  } catch (cause) {
    throw fail('it does not unzip', cause);
  }
}

/**
 * The manifests that are there, by id, out of all batches. Of two entries of an id with the same
 * time one that is not a deletion wins, else the first: kopia leaves it to chance.
 */
export function liveManifests(
  batches: Iterable<Iterable<ManifestEntry>>,
): Map<string, ManifestEntry> {
  const latest = new Map<string, ManifestEntry>();
  for (const batch of batches) {
    for (const entry of batch) {
      const known = latest.get(entry.id);
      if (known === undefined || isLater(entry, known)) latest.set(entry.id, entry);
    }
  }
  for (const [id, entry] of latest) if (entry.isDeleted) latest.delete(id);
  return latest;
}

function isLater(entry: ManifestEntry, known: ManifestEntry): boolean {
  if (entry.modifiedNs !== known.modifiedNs) return entry.modifiedNs > known.modifiedNs;
  return known.isDeleted && !entry.isDeleted;
}

/** Whether a manifest has all of these labels; it may have others. */
export function matchesLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}

/**
 * A new manifest entry.
 * @throws USAGE without a label `type`
 */
export function newManifestEntry(
  labels: Labels,
  data: string,
  modifiedNs: bigint,
  random: RandomBytes,
): ManifestEntry {
  if (!labels[TYPE_LABEL]) throw new EngineError('USAGE', 'a manifest needs a label "type"');
  return { id: newManifestId(random), labels, modifiedNs, isDeleted: false, data };
}
