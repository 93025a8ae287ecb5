// Original file: coordinator.proto


/**
 * The agent is let in.
 */
export interface Welcome {
  /**
   * Of the controller's program, for people.
   */
  'version'?: (string);
  /**
   * The version that this session speaks, at most Hello.wire_version.
   */
  'wireVersion'?: (number);
  /**
   * What the controller understands beyond it.
   */
  'capabilities'?: (string)[];
  /**
   * How long a slot outlives the last report that was heard, in milliseconds.
   */
  'leaseMs'?: (number);
  /**
   * The longest time between two reports, in milliseconds.
   */
  'reportMs'?: (number);
}

/**
 * The agent is let in.
 */
export interface Welcome__Output {
  /**
   * Of the controller's program, for people.
   */
  'version': (string);
  /**
   * The version that this session speaks, at most Hello.wire_version.
   */
  'wireVersion': (number);
  /**
   * What the controller understands beyond it.
   */
  'capabilities': (string)[];
  /**
   * How long a slot outlives the last report that was heard, in milliseconds.
   */
  'leaseMs': (number);
  /**
   * The longest time between two reports, in milliseconds.
   */
  'reportMs': (number);
}
