// Original file: coordinator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _stevedore_v1_AgentMessage, AgentMessage__Output as _stevedore_v1_AgentMessage__Output } from '../../stevedore/v1/AgentMessage.ts';
import type { ClusterOverview as _stevedore_v1_ClusterOverview, ClusterOverview__Output as _stevedore_v1_ClusterOverview__Output } from '../../stevedore/v1/ClusterOverview.ts';
import type { ControllerMessage as _stevedore_v1_ControllerMessage, ControllerMessage__Output as _stevedore_v1_ControllerMessage__Output } from '../../stevedore/v1/ControllerMessage.ts';
import type { OverviewRequest as _stevedore_v1_OverviewRequest, OverviewRequest__Output as _stevedore_v1_OverviewRequest__Output } from '../../stevedore/v1/OverviewRequest.ts';

/**
 * The controller's side.
 */
export interface CoordinatorClient extends grpc.Client {
  /**
   * How things stand, for whoever looks: `stevedore queue` and `stevedore nodes`. Changes nothing.
   * The token in the metadata is anybody's that has our audience; the API server is asked whether
   * that user may `get` the resource `overviews` of the group `stevedore.io` in the namespace of
   * the controller. Ends with an error as sessions do; a controller that stands by names the one
   * that leads, with COORDINATOR_STANDBY.
   */
  Overview(argument: _stevedore_v1_OverviewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  Overview(argument: _stevedore_v1_OverviewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  Overview(argument: _stevedore_v1_OverviewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  Overview(argument: _stevedore_v1_OverviewRequest, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  /**
   * How things stand, for whoever looks: `stevedore queue` and `stevedore nodes`. Changes nothing.
   * The token in the metadata is anybody's that has our audience; the API server is asked whether
   * that user may `get` the resource `overviews` of the group `stevedore.io` in the namespace of
   * the controller. Ends with an error as sessions do; a controller that stands by names the one
   * that leads, with COORDINATOR_STANDBY.
   */
  overview(argument: _stevedore_v1_OverviewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  overview(argument: _stevedore_v1_OverviewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  overview(argument: _stevedore_v1_OverviewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  overview(argument: _stevedore_v1_OverviewRequest, callback: grpc.requestCallback<_stevedore_v1_ClusterOverview__Output>): grpc.ClientUnaryCall;
  
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
   * How things stand, for whoever looks: `stevedore queue` and `stevedore nodes`. Changes nothing.
   * The token in the metadata is anybody's that has our audience; the API server is asked whether
   * that user may `get` the resource `overviews` of the group `stevedore.io` in the namespace of
   * the controller. Ends with an error as sessions do; a controller that stands by names the one
   * that leads, with COORDINATOR_STANDBY.
   */
  Overview: grpc.handleUnaryCall<_stevedore_v1_OverviewRequest__Output, _stevedore_v1_ClusterOverview>;
  
  /**
   * A session. Ends with a status of gRPC, and the name of our error code (docs/errors.md) in the
   * trailer `stevedore-code`; with `stevedore-retry-ms` where the controller knows better than the
   * agent when it should come back. An agent that has nothing more to say half-closes.
   */
  Session: grpc.handleBidiStreamingCall<_stevedore_v1_AgentMessage__Output, _stevedore_v1_ControllerMessage>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  Overview: MethodDefinition<_stevedore_v1_OverviewRequest, _stevedore_v1_ClusterOverview, _stevedore_v1_OverviewRequest__Output, _stevedore_v1_ClusterOverview__Output>
  Session: MethodDefinition<_stevedore_v1_AgentMessage, _stevedore_v1_ControllerMessage, _stevedore_v1_AgentMessage__Output, _stevedore_v1_ControllerMessage__Output>
}
