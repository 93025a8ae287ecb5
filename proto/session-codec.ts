// Messages of a session as bytes and back. Made from the descriptor, so that nothing is read from
// disk; the types are those that the generator made of the same coordinator.proto.

import { EngineError } from '#engine/base/errors.ts';
import { fromJSON, type MethodDefinition } from './grpc.ts';
import { COORDINATOR_DESCRIPTOR } from './generated/coordinator-descriptor.ts';
import { CONVERSION } from './conversion.ts';
import type { ClusterOverview } from './generated/stevedore/v1/ClusterOverview.ts';
import type { ClusterOverview__Output } from './generated/stevedore/v1/ClusterOverview.ts';
import type { OverviewRequest } from './generated/stevedore/v1/OverviewRequest.ts';
import type { OverviewRequest__Output } from './generated/stevedore/v1/OverviewRequest.ts';
import type { AgentMessage, AgentMessage__Output } from './generated/stevedore/v1/AgentMessage.ts';
import type {
  ControllerMessage,
  ControllerMessage__Output,
} from './generated/stevedore/v1/ControllerMessage.ts';

export type { AgentMessage, ControllerMessage };
export type ReadAgentMessage = AgentMessage__Output;
export type ReadControllerMessage = ControllerMessage__Output;

type Session = MethodDefinition<
  AgentMessage,
  ControllerMessage,
  AgentMessage__Output,
  ControllerMessage__Output
>;

type Overview = MethodDefinition<
  OverviewRequest,
  ClusterOverview,
  OverviewRequest__Output,
  ClusterOverview__Output
>;

interface Methods {
  readonly Session: Session;
  readonly Overview: Overview;
}

// Of protobufjs' own making; its type asks for comments that it leaves out.
const descriptor = COORDINATOR_DESCRIPTOR as Parameters<typeof fromJSON>[0];
const service = fromJSON(descriptor, CONVERSION)['stevedore.v1.Coordinator'];
// The types are those of the same methods: both are made of coordinator.proto; a check compares.
const { Session: session, Overview: overview } = service as unknown as Methods;

export const SESSION_PATH = session.path;
export const OVERVIEW_PATH = overview.path;

export function encodeAgentMessage(message: AgentMessage): Buffer {
  return session.requestSerialize(message);
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function decodeAgentMessage(bytes: Buffer): ReadAgentMessage {
  return decoded(() => session.requestDeserialize(bytes));
}

export function encodeControllerMessage(message: ControllerMessage): Buffer {
  return session.responseSerialize(message);
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function decodeControllerMessage(bytes: Buffer): ReadControllerMessage {
  return decoded(() => session.responseDeserialize(bytes));
}

export function encodeOverviewRequest(): Buffer {
  return overview.requestSerialize({});
}

export function encodeOverview(message: ClusterOverview): Buffer {
  return overview.responseSerialize(message);
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function decodeOverview(bytes: Buffer): ClusterOverview__Output {
  return decoded(() => overview.responseDeserialize(bytes));
}

function decoded<Message>(decode: () => Message): Message {
  try {
    return decode();
  } catch {
    // The decoder's own words are about offsets within bytes that nobody has.
    throw new EngineError('COORDINATOR_MESSAGE_INVALID', 'a message cannot be decoded');
  }
}
