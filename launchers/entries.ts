/** What a runtime's rules found to start: the few best ways, and why. */

import type { Candidate, Evidence, PassedOver } from './plan.ts';

export interface Entries<Kind extends string> {
  readonly candidates: readonly Candidate[];
  readonly evidence: readonly Evidence[];
  readonly passedOver: readonly PassedOver[];
  /** Where the first one was found; null when there is none. */
  readonly best: Kind | null;
}

/** One way to start, with what speaks for it. */
export interface FoundEntry<Kind extends string> {
  readonly candidate: Candidate;
  readonly kind: Kind;
  readonly evidence: Evidence | readonly Evidence[];
}

/** The first `most` of them: each fallback costs a start. */
export function firstEntries<Kind extends string>(
  found: readonly FoundEntry<Kind>[],
  most: number,
  passedOver: readonly PassedOver[],
): Entries<Kind> {
  const best = found.slice(0, most);
  return {
    candidates: best.map(({ candidate }) => candidate),
    evidence: best.flatMap(({ evidence }) => evidence),
    passedOver,
    best: best[0]?.kind ?? null,
  };
}
