// Original file: coordinator.proto


/**
 * Asks for all there is.
 */
export interface OverviewRequest {
}

/**
 * Asks for all there is.
 */
export interface OverviewRequest__Output {
}
