// Original file: coordinator.proto

import type { WaitingMove as _stevedore_v1_WaitingMove, WaitingMove__Output as _stevedore_v1_WaitingMove__Output } from '../../stevedore/v1/WaitingMove.ts';
import type { RunningMove as _stevedore_v1_RunningMove, RunningMove__Output as _stevedore_v1_RunningMove__Output } from '../../stevedore/v1/RunningMove.ts';
import type { NodeOverview as _stevedore_v1_NodeOverview, NodeOverview__Output as _stevedore_v1_NodeOverview__Output } from '../../stevedore/v1/NodeOverview.ts';
import type { RateOverview as _stevedore_v1_RateOverview, RateOverview__Output as _stevedore_v1_RateOverview__Output } from '../../stevedore/v1/RateOverview.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What the controller that leads knows, at one moment. For people: nothing is decided by it.
 */
export interface ClusterOverview {
  /**
   * Of the controller's program.
   */
  'version'?: (string);
  /**
   * Who leads: name of its pod, or of its machine.
   */
  'leader'?: (string);
  'epoch'?: (number | string | Long);
  /**
   * It does not know yet what runs, and grants nothing.
   */
  'starting'?: (boolean);
  /**
   * All that wait; `waiting` may have fewer.
   */
  'waitingCount'?: (number);
  /**
   * The first of the queue in its order, at most 5,000.
   */
  'waiting'?: (_stevedore_v1_WaitingMove)[];
  /**
   * All that run; `running` may have fewer.
   */
  'runningCount'?: (number);
  /**
   * At most 5,000.
   */
  'running'?: (_stevedore_v1_RunningMove)[];
  /**
   * All that have a session or hold slots, at most 5,000.
   */
  'nodes'?: (_stevedore_v1_NodeOverview)[];
  /**
   * The limit of the cluster.
   */
  'slotsMax'?: (number);
  'upload'?: (_stevedore_v1_RateOverview | null);
  'download'?: (_stevedore_v1_RateOverview | null);
}

/**
 * What the controller that leads knows, at one moment. For people: nothing is decided by it.
 */
export interface ClusterOverview__Output {
  /**
   * Of the controller's program.
   */
  'version': (string);
  /**
   * Who leads: name of its pod, or of its machine.
   */
  'leader': (string);
  'epoch': (number);
  /**
   * It does not know yet what runs, and grants nothing.
   */
  'starting': (boolean);
  /**
   * All that wait; `waiting` may have fewer.
   */
  'waitingCount': (number);
  /**
   * The first of the queue in its order, at most 5,000.
   */
  'waiting': (_stevedore_v1_WaitingMove__Output)[];
  /**
   * All that run; `running` may have fewer.
   */
  'runningCount': (number);
  /**
   * At most 5,000.
   */
  'running': (_stevedore_v1_RunningMove__Output)[];
  /**
   * All that have a session or hold slots, at most 5,000.
   */
  'nodes': (_stevedore_v1_NodeOverview__Output)[];
  /**
   * The limit of the cluster.
   */
  'slotsMax': (number);
  'upload': (_stevedore_v1_RateOverview__Output | null);
  'download': (_stevedore_v1_RateOverview__Output | null);
}
