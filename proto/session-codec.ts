// Messages of a session as bytes and back. Made from the descriptor, so that nothing is read from
// disk; the types are those that the generator made of the same coordinator.proto.

import { EngineError } from '#engine/base/errors.ts';
import { fromJSON, type MethodDefinition } from './grpc.ts';
import { COORDINATOR_DESCRIPTOR } from './generated/coordinator-descriptor.ts';
import { CONVERSION } from './conversion.ts';
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

// Of protobufjs' own making; its type asks for comments that it leaves out.
const descriptor = COORDINATOR_DESCRIPTOR as Parameters<typeof fromJSON>[0];
const service = fromJSON(descriptor, CONVERSION)['stevedore.v1.Coordinator'];
// The types are those of the same method: both are made of coordinator.proto, and a check compares.
const session = (service as unknown as { readonly Session: Session }).Session;

export const SESSION_PATH = session.path;

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

function decoded<Message>(decode: () => Message): Message {
  try {
    return decode();
  } catch {
    // The decoder's own words are about offsets within bytes that nobody has.
    throw new EngineError('COORDINATOR_MESSAGE_INVALID', 'a message cannot be decoded');
  }
}
