/** One process for each client session, as many as may be. */

import { supervisorError } from '../errors.ts';
import type { Members } from './members.ts';
import type { Group, InstancesParts, Other, SessionCaller } from './parts.ts';

/**
 * The instance of that session, a new one, or the one that is quiet for longest. Throws CALL_QUEUE_FULL when there are `max`, and
 * all of them are in use.
 */
export type OfSession = (group: Group, caller: SessionCaller, max: number, avoid: string | null) => string;

export function createOfSession(
  { load, isHeld, lastUse, now = () => performance.now() }: InstancesParts,
  { present, add, giveTo, settle }: Members,
): OfSession {
  return (group, caller, max, avoid) => {
    const { plugin } = group;
    const { session } = caller;
    const own = group.sessions.get(session);
    if (own !== undefined) {
      settle(own);
      own.usedAt = now();
      return own.id;
    }
    // Its instance has gone meanwhile, and perhaps its client: only a call of its own starts another one.
    if (avoid !== null) return avoid;
    if (!group.awake) return plugin;
    const all = present(group);
    if (all.length < max) return add(group, caller).id;
    const quiet = all.filter(({ id }) => load(id) === 0 && !isHeld(id));
    // Before all others those that are about to go by themselves.
    const since = (other: Other) => (other.timer !== null ? 0 : Math.max(other.usedAt, lastUse(other.id)));
    const [longest] = quiet.sort((a, b) => since(a) - since(b));
    if (longest === undefined) {
      throw supervisorError(
        'CALL_QUEUE_FULL',
        {
          message: `Each of the ${max} instances that ${plugin} may have works for another session.`,
          hint: 'Try again later, or raise `max` of `instances: { perSession: { max } }`.',
          data: { fate: 'not-sent', max },
        },
        plugin,
      );
    }
    return giveTo(group, longest, caller);
  };
}
