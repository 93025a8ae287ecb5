// velero.io/v1 ServerStatusRequest: a question that the server answers with its version, and
// removes a minute later (Velero pkg/controller/server_status_request_controller.go).

import type { KubeObject } from '#kube/kube-object.ts';
import { veleroResource } from './move-object.ts';

export interface ServerStatusRequest extends KubeObject {
  readonly spec?: object;
  readonly status?: {
    readonly phase?: string;
    readonly serverVersion?: string;
  };
}

export const SERVER_STATUS_REQUESTS = veleroResource('serverstatusrequests', 'ServerStatusRequest');
