// Refusals, worded as a Kubernetes API server words them
// (k8s.io/apimachinery pkg/api/errors/errors.go).

import { resourceName } from '#kube/request-target.ts';
import type { Resource } from '#kube/kube-object.ts';
import type { JsonObject } from './json.ts';

/** metav1.StatusCause */
export interface Cause {
  readonly reason:
    'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueNotSupported' | 'FieldValueForbidden';
  readonly message: string;
  readonly field: string;
}

/** Thrown by the emulator, sent as a Status. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject;

  constructor(code: number, reason: string, message: string, details: JsonObject = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  status(): JsonObject {
    const { code, reason, message, details } = this;
    const names = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
    return { ...names, message, reason, details, code };
  }
}

export function notFound(resource: Resource, name: string): ApiError {
  const message = `${resourceName(resource)} ${JSON.stringify(name)} not found`;
  return new ApiError(404, 'NotFound', message, detailsOf(resource, name));
}

/** The path belongs to no resource that is served. */
export function unknownPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource');
}

export function alreadyExists(resource: Resource, name: string): ApiError {
  const message = `${resourceName(resource)} ${JSON.stringify(name)} already exists`;
  return new ApiError(409, 'AlreadyExists', message, detailsOf(resource, name));
}

const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(resource: Resource, name: string, why = MODIFIED): ApiError {
  const what = `${resourceName(resource)} ${JSON.stringify(name)}`;
  const message = `Operation cannot be fulfilled on ${what}: ${why}`;
  return new ApiError(409, 'Conflict', message, detailsOf(resource, name));
}

export function invalid(resource: Resource, name: string, causes: readonly Cause[]): ApiError {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${kind} ${JSON.stringify(name)} is invalid: ${text}`, {
    name,
    group: resource.group,
    kind: resource.kind,
    causes,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

function detailsOf({ group, plural }: Resource, name: string): JsonObject {
  return { name, group, kind: plural };
}
