/** What made a plugin enter a state, as far as its machine and the commands tell. Pure. */

import type { Attempt } from '../machines/contracts.ts';
import type { SupervisorCommand } from '../machines/events.ts';
import type { PluginContext } from '../machines/plugin/context.ts';
import { type PluginState, STAGES } from '../machines/states.ts';
import { inWords } from './explain-status.ts';
import type { HistoryEntry } from './options.ts';

/** Commands that change what a plugin does. */
export type Asked = Exclude<SupervisorCommand['type'], 'ADD' | 'CALL' | 'traffic'>;

export interface Entering {
  readonly state: PluginState;
  readonly failure: HistoryEntry['failure'];
  /** The state before; undefined for the first. */
  readonly before: Pick<HistoryEntry, 'state' | 'reason' | 'failure'> | undefined;
  /** undefined while it has no actor. */
  readonly context: PluginContext | undefined;
  /** The last command, until it had an effect. */
  readonly asked: Asked | null;
  readonly closing: boolean;
}

export function reasonOf(entering: Entering): string | null {
  const { state, failure, before, context } = entering;
  if (beginsStart(entering)) return startReason(entering);
  switch (state) {
    case 'stopping':
      return context === undefined ? null : stopReason(entering, context);
    case 'crashed':
      return failure?.message ?? null;
    case 'absent':
      return before === undefined ? null : (restReason(entering, before.state) ?? before.reason);
    case 'ready':
    case 'idle':
      if (failure !== null) return `a health check was bad, calls wait: ${failure.message}`;
      return before?.failure && before.state !== 'probing' ? 'it answers again' : null;
    default:
      return null;
  }
}

const isStage = (state: PluginState): boolean => (STAGES as readonly string[]).includes(state);

/** The first stage of a start, or of another attempt of one; what follows it follows by itself. */
export function beginsStart({ state, before }: Pick<Entering, 'state' | 'before'>): boolean {
  if (!isStage(state)) return false;
  const order = PLACE.indexOf(state);
  return before === undefined || !isStage(before.state) || PLACE.indexOf(before.state) >= order;
}

const PLACE: readonly PluginState[] = STAGES;

function startReason({ before, context, asked }: Entering): string | null {
  if (context !== undefined && context.relaunches > 0) return before?.reason ?? null;
  if (asked === 'UPDATE') return 'its configuration changed';
  if (asked !== null) return `${asked.toLowerCase()} was asked for`;
  if (before?.state === 'crashed') return `it is tried again after ${before.failure?.code ?? 'a failure'}`;
  if ((context?.held.length ?? 0) > 0) return 'a call came';
  return context?.spec.activation === 'eager' ? 'it is eager' : null;
}

function stopReason({ asked, closing, before, failure }: Entering, context: PluginContext): string | null {
  const { outcome, removed, stopped, leader, attempt, relaunches, timing } = context;
  switch (outcome?.to) {
    case 'relaunch':
      return `attempt ${relaunches + 2} of this start follows, ${difference(attempt, outcome.attempt)}`;
    case 'restart':
      return asked === 'UPDATE' ? 'its configuration changed' : 'restart was asked for';
    case 'crashed':
      return outcome.failure.message;
    case 'absent':
      if (removed) return 'remove was asked for';
      if (closing) return 'the supervisor is closing';
      if (stopped) return 'stop was asked for';
      if (leader === 'gone') return 'its program ended by itself, with exit code 0';
      if (before?.state === 'idle') return `nobody called for ${inWords(timing.idleStop ?? 0)}`;
      return 'stop was asked for';
    default:
      return failure?.message ?? null;
  }
}

/** Coming to rest without having been stopped. */
function restReason({ asked, closing }: Entering, before: PluginState): string | null {
  if (before === 'stopping') return null;
  if (closing) return 'the supervisor is closing';
  return asked === null ? null : `${asked.toLowerCase()} was asked for`;
}

/** How one attempt differs from the one before. */
function difference(before: Attempt | null, next: Attempt): string {
  if (before === null) return 'in another way';
  const words = [
    next.candidate !== before.candidate && `by way ${next.candidate + 1} of its plan`,
    next.port !== before.port && (next.port === 'lease' ? 'with a port given to it' : 'without a port'),
    next.era !== before.era && `as a server of the ${next.era} protocol`,
    next.dependencies !== before.dependencies && 'with dependencies as of the date of its commit',
    next.runtime !== before.runtime && 'with a newer runtime',
    next.transport !== before.transport && next.candidate === before.candidate && `over ${next.transport}`,
  ].filter((word) => word !== false);
  return words.length === 0 ? 'in the same way' : words.join(' and ');
}
