/** A pool: N processes of one plugin, of which the least busy one is called. */

import type { PluginState } from '../../machines/states.ts';
import type { Members } from './members.ts';
import { type Group, type InstancesParts, type InstanceView, instancesOf } from './parts.ts';

/** From the best to the worst place for a call. */
const RANKS = { open: 0, starting: 1, unwell: 2, avoided: 3, parked: 4, deaf: 5 } as const;
const STARTS: readonly PluginState[] = ['absent', 'cloning', 'detecting', 'installing', 'launching', 'probing'];

/** Of one that isn't open; the names of states cost more than all the rest of a call's way. */
function rankOf(seen: InstanceView): number {
  if (seen.stopped) return RANKS.deaf;
  const { state } = seen;
  if (STARTS.includes(state)) return RANKS.starting;
  return state === 'crashed' && seen.subState === 'parked' ? RANKS.parked : RANKS.unwell;
}

export interface Pool {
  /** The least busy one that is well; where all are busy the next one is started for those that come. */
  leastLoaded(group: Group, size: number, avoid: string | null): string;
  /** An eager pool is there as a whole, once it is known to work. */
  fill(group: Group): void;
}

export function createPool({ specOf, send, view, load }: InstancesParts, { present, add }: Members): Pool {
  const isAtRest = (instance: string) => {
    const seen = view(instance);
    return seen !== null && seen.state === 'absent' && seen.subState !== 'checking';
  };

  /** Starts one that rests, or one more; null when all that there may be run or are on their way. */
  function grow(group: Group, size: number): string | null {
    if (!group.proven || !group.awake) return null;
    const resting = [group.plugin, ...present(group).map(({ id }) => id)].find(isAtRest);
    const id = resting ?? (present(group).length < size - 1 ? add(group).id : null);
    if (id !== null) send({ type: 'START', plugin: id });
    return id;
  }

  function leastLoaded(group: Group, size: number, avoid: string | null): string {
    let best = group.plugin;
    let bestRank = Number.POSITIVE_INFINITY;
    let bestLoad = 0;
    let calls = 1;
    let open = 0;
    let starting = 0;
    const weigh = (id: string) => {
      const seen = view(id);
      if (seen === null) return;
      const own = seen.open ? RANKS.open : rankOf(seen);
      const at = load(id);
      calls += at;
      if (own === RANKS.open) open += 1;
      else if (own === RANKS.starting && !isAtRest(id)) starting += 1;
      const rank = id === avoid && own < RANKS.avoided ? RANKS.avoided : own;
      if (rank > bestRank || (rank === bestRank && at >= bestLoad)) return;
      best = id;
      bestRank = rank;
      bestLoad = at;
    };
    weigh(group.plugin);
    for (const other of group.others.values()) if (!other.leaving) weigh(other.id);
    if (bestRank === RANKS.open) {
      if (bestLoad > 0 && open < size && calls > open + starting) grow(group, size);
      return best;
    }
    if (bestRank < RANKS.deaf && (bestLoad > 0 || bestRank > RANKS.starting)) return grow(group, size) ?? best;
    return best;
  }

  function fill(group: Group): void {
    const spec = specOf(group.plugin);
    const own = instancesOf(spec);
    if (own.kind !== 'pool' || spec?.activation !== 'eager' || !group.proven || !group.awake) return;
    while (present(group).length < own.size - 1) send({ type: 'START', plugin: add(group).id });
  }

  return { leastLoaded, fill };
}
