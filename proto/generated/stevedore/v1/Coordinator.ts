// Original file: coordinator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _stevedore_v1_AgentMessage, AgentMessage__Output as _stevedore_v1_AgentMessage__Output } from '../../stevedore/v1/AgentMessage.ts';
import type { ControllerMessage as _stevedore_v1_ControllerMessage, ControllerMessage__Output as _stevedore_v1_ControllerMessage__Output } from '../../stevedore/v1/ControllerMessage.ts';

/**
 * The controller's side.
 */
export interface CoordinatorClient extends grpc.Client {
  /**
   * A session. Ends with a status of gRPC, and the name of our error code (docs/errors.md) in the
   * trailer `stevedore-code`; with `stevedore-retry-ms` where the controller knows better than the
   * agent when it should come back. An agent that has nothing more to say half-closes.
   */
  Session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage__Output>;
  Session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage__Output>;
  /**
   * A session. Ends with a status of gRPC, and the name of our error code (docs/errors.md) in the
   * trailer `stevedore-code`; with `stevedore-retry-ms` where the controller knows better than the
   * agent when it should come back. An agent that has nothing more to say half-closes.
   */
  session(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage__Output>;
  session(options?: grpc.CallOptions): grpc.ClientDuplexStream<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage__Output>;
  
}

/**
 * The controller's side.
 */
export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  /**
   * A session. Ends with a status of gRPC, and the name of our error code (docs/errors.md) in the
   * trailer `stevedore-code`; with `stevedore-retry-ms` where the controller knows better than the
   * agent when it should come back. An agent that has nothing more to say half-closes.
   */
  Session: grpc.handleBidiStreamingCall<_stevedore_v1_AgentMessage__Output, _stevedore_v1_ControllerMessage>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  Session: MethodDefinition<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage, _stevedore_v1_AgentMessage__Output, _stevedore_v1_ControllerMessage__Output>
}
