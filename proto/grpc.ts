// What is used of gRPC, in the only file that imports its packages: a client and a server whose
// messages are bytes, which session-codec.ts makes and reads, so that what cannot be read is
// refused and counted by us and not by the transport.

import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ConnectionInjector,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { fromJSON, loadSync, type MethodDefinition } from '@grpc/proto-loader';

export { Client, credentials, Metadata, Server, ServerCredentials, status, fromJSON, loadSync };
export type {
  ChannelCredentials,
  ClientDuplexStream,
  ConnectionInjector,
  MethodDefinition,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  UntypedHandleCall,
};
