/** A bucket of tokens for each principal: `rate` a second flow in, at most twice that are kept. */

import { HttpError } from './http-error.ts';

/** Throws HTTP_RATE_LIMIT with Retry-After in whole seconds. */
export type TakeTurn = (principal: string) => void;

export function createRateLimit(rate: number | undefined, now: () => number = () => performance.now()): TakeTurn {
  if (rate === undefined) return () => {};
  const burst = Math.max(1, rate * 2);
  // Principals are few: the owner, and one for each token.
  const buckets = new Map<string, { level: number; at: number }>();
  return (principal) => {
    const at = now();
    let bucket = buckets.get(principal);
    if (bucket === undefined) {
      bucket = { level: burst, at };
      buckets.set(principal, bucket);
    }
    bucket.level = Math.min(burst, bucket.level + ((at - bucket.at) / 1000) * rate);
    bucket.at = at;
    if (bucket.level >= 1) {
      bucket.level -= 1;
      return;
    }
    const wait = Math.max(1, Math.ceil((1 - bucket.level) / rate));
    throw new HttpError('HTTP_RATE_LIMIT', `More than ${rate} requests a second.`, {
      headers: { 'retry-after': String(wait) },
    });
  };
}
