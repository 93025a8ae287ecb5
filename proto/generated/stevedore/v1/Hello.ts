// Original file: coordinator.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Who is there.
 */
export interface Hello {
  /**
   * Name of the Node object. Must be that of the token.
   */
  'node'?: (string);
  /**
   * Of the program, such as "0.1.0": for people, never to be compared.
   */
  'version'?: (string);
  /**
   * Of this protocol; see rule 6.
   */
  'wireVersion'?: (number);
  /**
   * What the agent understands beyond version 1 of the wire; at most 32 names.
   */
  'capabilities'?: (string)[];
  /**
   * Greater than that of any earlier start of the agent on this node: milliseconds since 1970 when
   * it started. Of two agents of one node the one that started later is heard.
   */
  'session'?: (number | string | Long);
}

/**
 * Who is there.
 */
export interface Hello__Output {
  /**
   * Name of the Node object. Must be that of the token.
   */
  'node': (string);
  /**
   * Of the program, such as "0.1.0": for people, never to be compared.
   */
  'version': (string);
  /**
   * Of this protocol; see rule 6.
   */
  'wireVersion': (number);
  /**
   * What the agent understands beyond version 1 of the wire; at most 32 names.
   */
  'capabilities': (string)[];
  /**
   * Greater than that of any earlier start of the agent on this node: milliseconds since 1970 when
   * it started. Of two agents of one node the one that started later is heard.
   */
  'session': (number);
}
