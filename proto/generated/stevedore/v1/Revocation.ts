// Original file: coordinator.proto


/**
 * A move that is to be stopped.
 */
export interface Revocation {
  /**
   * Uid of the custom resource of the move.
   */
  'id'?: (string);
}

/**
 * A move that is to be stopped.
 */
export interface Revocation__Output {
  /**
   * Uid of the custom resource of the move.
   */
  'id': (string);
}
