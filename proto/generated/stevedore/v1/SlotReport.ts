// Original file: coordinator.proto

import type { SlotRequest as _stevedore_v1_SlotRequest, SlotRequest__Output as _stevedore_v1_SlotRequest__Output } from '../../stevedore/v1/SlotRequest.ts';
import type { SlotHold as _stevedore_v1_SlotHold, SlotHold__Output as _stevedore_v1_SlotHold__Output } from '../../stevedore/v1/SlotHold.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * All that the node waits for and all that it holds. So it asks (a volume stands in `requests`),
 * renews (one report renews the lease of all `holds`), confirms (a grant has become a hold),
 * releases (it stands in neither list any more) and gives up waiting (the same).
 */
export interface SlotReport {
  /**
   * Grows with every report of this start of the agent, across sessions of the wire.
   */
  'sequence'?: (number | string | Long);
  /**
   * The highest epoch that the agent has heard from; 0 for none.
   */
  'epoch'?: (number | string | Long);
  /**
   * The agent's monotonic clock in milliseconds when it sent this. Only ever given back.
   */
  'sentAtMs'?: (number | string);
  /**
   * How many moves this node runs at once; 0 takes no more.
   */
  'slotsMax'?: (number);
  /**
   * At most 10,000; what is beyond asks later.
   */
  'requests'?: (_stevedore_v1_SlotRequest)[];
  /**
   * At most 1,000.
   */
  'holds'?: (_stevedore_v1_SlotHold)[];
}

/**
 * All that the node waits for and all that it holds. So it asks (a volume stands in `requests`),
 * renews (one report renews the lease of all `holds`), confirms (a grant has become a hold),
 * releases (it stands in neither list any more) and gives up waiting (the same).
 */
export interface SlotReport__Output {
  /**
   * Grows with every report of this start of the agent, across sessions of the wire.
   */
  'sequence': (number);
  /**
   * The highest epoch that the agent has heard from; 0 for none.
   */
  'epoch': (number);
  /**
   * The agent's monotonic clock in milliseconds when it sent this. Only ever given back.
   */
  'sentAtMs': (number);
  /**
   * How many moves this node runs at once; 0 takes no more.
   */
  'slotsMax': (number);
  /**
   * At most 10,000; what is beyond asks later.
   */
  'requests': (_stevedore_v1_SlotRequest__Output)[];
  /**
   * At most 1,000.
   */
  'holds': (_stevedore_v1_SlotHold__Output)[];
}
