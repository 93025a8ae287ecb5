// udmrepo.Repository: the blob by which Velero 1.18 knows that it has initialised a repository
// (Velero pkg/repository/udmrepo/kopialib/repo_init.go). It must be written last, behind the
// maintenance manifest with its owner, or Velero never maintains the repository.

import { goJson } from '#engine/base/json.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { documentBytes, documentText, failing, JsonFields, toBase64 } from './json-fields.ts';

export const VELERO_MARKER_BLOB_ID = 'udmrepo.Repository';

const fail = failing(
  'REPOSITORY_FORMAT_INVALID',
  VELERO_MARKER_BLOB_ID,
  'delete it and let Velero initialise the repository again',
);

export function encodeVeleroMarker(uniqueId: Uint8Array): Uint8Array {
  return documentBytes(goJson({ uniqueID: toBase64(uniqueId) }));
}

/**
 * @throws REPOSITORY_FORMAT_INVALID when it is damaged or of another repository
 */
export function checkVeleroMarker(bytes: Uint8Array, uniqueId: Uint8Array): void {
  const marked = JsonFields.parse(documentText(bytes), fail).bytes('uniqueID');
  if (!equalBytes(marked, uniqueId)) throw fail('it belongs to another repository');
}
