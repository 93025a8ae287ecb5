// How messages of the wire look in JavaScript. The generator makes types for exactly this, so it is
// told the same (build-proto.ts).

/**
 * Numbers of 64 bits are numbers: what is beyond 2^53 loses digits and is refused where it is read
 * (wire-fields.ts). What is missing has its default; messages that are missing are null.
 */
export const CONVERSION = Object.freeze({
  longs: Number,
  defaults: true,
  arrays: true,
  oneofs: true,
});
