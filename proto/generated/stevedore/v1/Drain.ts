// Original file: coordinator.proto


/**
 * Whether the node is to be emptied of moves.
 */
export interface Drain {
  /**
   * Moves that run go on to their end, and no other begins: the node reports slots_max as 0.
   */
  'active'?: (boolean);
  /**
   * For people.
   */
  'reason'?: (string);
}

/**
 * Whether the node is to be emptied of moves.
 */
export interface Drain__Output {
  /**
   * Moves that run go on to their end, and no other begins: the node reports slots_max as 0.
   */
  'active': (boolean);
  /**
   * For people.
   */
  'reason': (string);
}
