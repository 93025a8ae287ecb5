// Numbers that both sides of the wire keep to, and what is beyond its first version. Part of the
// contract of coordinator.proto: a limit may grow, on the reader's side first.

/** Hello.wire_version */
export const WIRE_VERSION = 1;

/** It copies volumes ahead of their backups when PreCopies says so. */
export const PRE_COPY_CAPABILITY = 'pre-copy';
/**
 * How the id of a copy ahead begins: it has no custom resource, and its slot is wanted back when a
 * move waits for it.
 */
export const PRE_COPY_ID_PREFIX = 'pre-copy/';
/** Names that Hello and Welcome may carry; one that goes is never used for something else. */
export const CAPABILITIES: readonly string[] = Object.freeze([PRE_COPY_CAPABILITY]);
export const CAPABILITIES_MAX = 32;

/** A message of either side. A report of 10,000 requests with usual names has 2.3 MiB. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** What the transport refuses before it has read it; between the two we say so ourselves. */
export const TRANSPORT_BYTES_MAX = 8 * 1024 * 1024;

export const REQUESTS_MAX = 10_000;
export const HOLDS_MAX = 1_000;
export const MOVES_MAX = 1_000;
/** Moves of a heartbeat that did not end as they should have, and what is said of each. */
export const FAILED_MAX = 10;
export const FAILURE_CHARACTERS_MAX = 300;
/** Grants and revocations of an answer, each. */
export const GRANTS_MAX = 2_000;
/** Of an answer: they become events, of which a node writes few. */
export const WAITS_MAX = 20;
/** Of one node. */
export const PRE_COPIES_MAX = 1_000;
/** Each of the lists of an overview … */
export const OVERVIEW_ROWS_MAX = 5_000;
/** … and the nodes that ask for one volume. */
export const WAIT_NODES_MAX = 100;
export const SLOTS_MAX = 1_000;
export const GANG_COUNT_MAX = 100_000;
/** Names, labels and uids, in characters. */
export const TEXT_CHARACTERS_MAX = 512;

/** From the opening of a session to Hello, for the controller. */
export const HELLO_MS_MAX = 10_000;
/** An agent gives up what is no connection by then: TCP, TLS and HTTP/2 … */
export const CONNECT_MS_MAX = 10_000;
/** … and a controller that has not said Welcome so long after the attempt began. */
export const WELCOME_MS_MAX = 25_000;
/** Whether the other side is there at all is asked after a silence of so long … */
export const KEEP_ALIVE_MS = 20_000;
/** … and it has so long to answer. */
export const KEEP_ALIVE_ANSWER_MS = 10_000;
/** From an overview's request to its end. */
export const OVERVIEW_MS_MAX = 10_000;
/** A message that the other side takes no byte of ends the session. */
export const SEND_MS_MAX = 30_000;

/** Trailers of a session's end. */
export const CODE_TRAILER = 'stevedore-code';
export const RETRY_TRAILER = 'stevedore-retry-ms';

/** Tokens are asked for with this audience, and with no other one they are accepted. */
export const TOKEN_AUDIENCE = 'stevedore.io/controller';
