// What seeing-worker.ts says when it has looked at all of its source.

export const HAS_SEEN = 'seen';
