/** Why a plugin is in the state that it is in, what comes next, and when: in words for somebody who sees it first. Pure. */

import type { Failure } from '../machines/failure.ts';
import type { PluginContext } from '../machines/plugin/context.ts';
import { type PluginState, stateName, subState } from '../machines/states.ts';
import type { PluginStatus } from './options.ts';
import { printableLine } from './printable.ts';
import type { PluginSnapshot } from './status.ts';

export interface ExplainParts {
  /** undefined while it has no actor. */
  readonly snapshot: Pick<PluginSnapshot, 'value' | 'context'> | undefined;
  /** Epoch milliseconds, like `since` and `stepSince`. */
  readonly now: number;
  /** When the state was entered. */
  readonly since: number;
  /** When its present sub-state was. */
  readonly stepSince: number;
  /** When its clock of idleness began: with the state, or with another configuration since. */
  readonly idleSince: number;
  /** A link to it is open, which keeps it from idling. */
  readonly linked: boolean;
  /** Why it was stopped last, or is being stopped: `nobody called for 5 min`. */
  readonly reason: string | null;
  /** How many wait for the same turn before it. */
  readonly ahead: number;
  /** Its actor broke, and is built anew. */
  readonly broken: Failure | null;
  readonly closing: boolean;
}

export type Explanation = Pick<PluginStatus, 'why' | 'next' | 'nextAt'>;

/** Whole sentences; the time in epoch milliseconds. */
interface Told {
  readonly why: string;
  readonly next: string;
  readonly at?: number | null;
}

interface View extends ExplainParts {
  readonly step: string | null;
  readonly context: PluginContext;
}

export function explainStatus(parts: ExplainParts): Explanation {
  const { why, next, at = null } = tell(parts);
  return {
    why: printableLine(why),
    next: printableLine(next),
    nextAt: at === null ? null : new Date(at).toISOString(),
  };
}

function tell(parts: ExplainParts): Told {
  const { snapshot, broken, closing } = parts;
  if (broken !== null) {
    const why = `A bug of ours felled what looks after it: ${sentence(broken.message)}`;
    return { why, next: 'It is looked after anew when nothing of it runs any more.' };
  }
  if (snapshot === undefined) return { why: 'It has just been added.', next: 'It is known in a moment.' };
  const view: View = { ...parts, step: subState(snapshot.value), context: snapshot.context };
  const told = EXPLAIN[stateName(snapshot.value)](view);
  const atRest = told.at == null && ['absent', 'crashed'].includes(stateName(snapshot.value));
  return closing && atRest ? { ...told, next: 'Nothing: the supervisor is closing.' } : told;
}

const EXPLAIN: Readonly<Record<PluginState, (view: View) => Told>> = {
  absent: (view) => (view.step === 'checking' ? checking : resting(view)),
  cloning: (view) =>
    job(view, { doing: 'Its source is being fetched', after: 'It is looked at', limit: view.context.timing.clone }),
  detecting: (view) =>
    job(view, {
      doing: 'What is in its folder, and how it starts, is being found out',
      after: 'It is installed',
      limit: view.context.timing.detect,
    }),
  installing: (view) =>
    job(view, {
      doing: 'What it needs is being installed and built',
      after: 'It is launched',
      limit: view.context.timing.install,
    }),
  launching: (view) =>
    view.step === 'queued'
      ? { why: `${turn(view)} to be launched${attempt(view)}.`, next: 'It is launched when its turn comes.' }
      : {
          why: `Its program is being started${attempt(view)}.`,
          next: 'It is asked whether it is ready.',
        },
  probing: (view) => {
    const { pid, listening, timing, spec } = view.context;
    if (spec.source.kind === 'remote') {
      return {
        why: `It runs elsewhere, and has not answered yet${attempt(view)}.`,
        next: `It is ready when it answers; if it doesn't, this start is given up ${inTime(view, view.since + timing.start)}.`,
        at: view.since + timing.start,
      };
    }
    const found = listening ? 'it has opened a port, but' : 'it';
    return {
      why: `Its program runs${pid === null ? '' : ` (pid ${pid})`}, and ${found} has not answered as a server yet${attempt(view)}.`,
      next: `It is ready when it answers; if it doesn't, this start is given up ${inTime(view, view.since + timing.start)}.`,
      at: view.since + timing.start,
    };
  },
  ready: (view) =>
    unwell(view) ?? {
      why: 'It is ready.',
      next: view.linked
        ? 'It stays while somebody who used it is connected.'
        : 'It is idle a second after the last call.',
    },
  idle: (view) => {
    const { idleStop } = view.context.timing;
    if (idleStop === null) {
      return unwell(view) ?? { why: 'It is ready, and nobody calls.', next: 'It stays until it is stopped.' };
    }
    const at = view.idleSince + idleStop;
    const next = `It is stopped ${inTime(view, at)} if nobody calls.`;
    return unwell(view) ?? { why: 'It is ready, and nobody calls.', next, at };
  },
  stopping,
  crashed: (view) => (view.step === 'parked' ? parked(view) : waiting(view)),
};

const checking: Told = {
  why: 'It is starting: what is on the disk is being looked at.',
  next: 'It goes on with the first step that is out of date, or is launched.',
};

function resting({ context, reason }: View): Told {
  const { stopped, removed, spec, generation } = context;
  const why =
    reason === null && generation === 0
      ? 'It has not been started yet.'
      : `It does not run${reason === null ? '' : `: ${reason}`}.`;
  if (removed) return { why, next: 'Nothing: it is being removed.' };
  if (spec.activation === 'manual') return { why, next: 'Run start: calls do not start it (activation: manual).' };
  if (stopped) return { why, next: 'Run start: until then calls are refused.' };
  return { why, next: 'It starts with the next call.' };
}

interface Job {
  readonly doing: string;
  readonly after: string;
  readonly limit: number;
}

function job(view: View, { doing, after, limit }: Job): Told {
  const { step, now, stepSince } = view;
  if (step === 'queued') return { why: `${turn(view)}.`, next: 'It goes on when its turn comes.' };
  if (step === 'cancelling') {
    return {
      why: `${doing}, and that is being called off${because({ ...view, reason: calledOff(view) })}.`,
      next: afterwards(view),
    };
  }
  const at = stepSince + limit;
  return {
    why: `${doing}, for ${inWords(now - stepSince)} so far${attempt(view)}.`,
    next: `${after} when that is done; it is given up ${inTime(view, at)}.`,
    at,
  };
}

/** Others may be ahead of it, or the supervisor lets only so many start within a time. */
const turn = ({ ahead }: View): string =>
  ahead > 0 ? `It waits for its turn, with ${ahead} ahead of it` : 'It waits for its turn';

const attempt = ({ context: { relaunches } }: View): string =>
  relaunches === 0 ? '' : ` (attempt ${relaunches + 1} of this start)`;

/** While a health check is out or was bad; null when all is well. */
function unwell({ step, context: { health, bounds, timing }, stepSince }: View): Told | null {
  if (step === null || step === 'well') return null;
  if (health.failures === 0 && health.failure === null) {
    return { why: 'It is ready; it is just being asked whether all is well.', next: 'Calls go on meanwhile.' };
  }
  const found = health.failure === null ? '' : ` ${sentence(health.failure.message)}`;
  const count = health.failures === 0 ? 'It says that it is not ready' : `${times(health.failures)} it did not answer`;
  const again = `after ${bounds.healthFailures} checks without an answer it is restarted`;
  return {
    why: `${count}, so calls wait.${found}`,
    next: step === 'failing' ? `It is asked again; ${again}.` : `It is being asked; ${again}.`,
    at: stepSince + (step === 'failing' ? timing.recheck : timing.healthCheck),
  };
}

const times = (count: number): string => (count === 1 ? 'Once' : `${count} times`);

function stopping(view: View): Told {
  const { step, stepSince, context } = view;
  const { timing, leader } = context;
  const why = (doing: string) => `It is being stopped${because(view)}: ${doing}.`;
  const steps: Readonly<Record<string, readonly [doing: string, next: string, limit: number]>> = {
    draining: ['calls in flight may still end', 'Then it is asked to end', timing.drain],
    closing: ['its input was closed, the polite way to ask', 'If it stays, SIGTERM is sent', timing.inputClose],
    terminating: [
      leader === 'gone'
        ? 'its program has ended, what it left behind was told to (SIGTERM)'
        : 'it was told to (SIGTERM)',
      'If anything stays, SIGKILL is sent',
      timing.terminate,
    ],
    killing: ['SIGKILL was sent', 'If anything stays, it is looked for everywhere', timing.kill],
    sweeping: [
      'whatever of it is left is being killed',
      'If anything outlives that, it is named and no new start is made',
      timing.sweep,
    ],
  };
  const told = step === null ? undefined : steps[step];
  if (told === undefined) return { why: `It is being stopped${because(view)}.`, next: afterwards(view) };
  const [doing, next, limit] = told;
  const at = stepSince + limit;
  return { why: why(doing), next: `${next} ${inTime(view, at)}. ${afterwards(view)}`, at };
}

function because({ context: { outcome }, reason }: View): string {
  if (outcome?.to === 'crashed') return `, because it failed (${clause(outcome.failure.message)})`;
  return reason === null ? '' : `, because ${reason}`;
}

/** Nothing was reported when it began: its job goes on until it has cleared up. */
function calledOff({ context: { outcome, removed }, closing }: View): string {
  if (outcome?.to === 'restart') return 'restart was asked for';
  if (removed) return 'remove was asked for';
  return closing ? 'the supervisor is closing' : 'stop was asked for';
}

function afterwards({ context: { outcome, held } }: View): string {
  switch (outcome?.to) {
    case 'restart':
      return 'Then it is started again.';
    case 'relaunch':
      return 'Then it is started in another way.';
    case 'crashed':
      return 'Then it is decided when it is tried again.';
    default:
      return held.length > 0 ? 'Then it is started again, because calls wait.' : 'Then nothing of it runs.';
  }
}

function waiting(view: View): Told {
  const { retryAt, failure } = view.context;
  const why = failed(failure);
  if (retryAt === null) return { why, next: 'It is being decided when it is tried again.' };
  return { why, next: `It is tried again ${inTime(view, retryAt)}.`, at: retryAt };
}

function parked(view: View): Told {
  const { failure, abandoned, trialAt, trialOpen, spec } = view.context;
  const why = failed(failure);
  const hint = failure === null ? '' : `${sentence(inOneLine(failure.hint))} `;
  if (abandoned.length > 0) {
    return {
      why,
      next: `End the processes ${abandoned.join(', ')}: it is not started while they live. Then run start.`,
    };
  }
  if (trialOpen)
    return { why: `${why} It was parked.`, next: 'The next call tries it once more; start does at any time.' };
  if (trialAt !== null) {
    const tries = spec.restart === 'permanent' ? 'It is tried once more' : 'A call may try it once more';
    return {
      why: `${why} It failed too often and is parked.`,
      next: `${tries} ${inTime(view, trialAt)}; start does at any time.`,
      at: trialAt,
    };
  }
  if (failure?.retryable === false) {
    return { why: `${why} Trying again would not help, so it is parked.`, next: `${hint}Then run start.` };
  }
  return { why: `${why} It is not restarted by itself (restart: ${spec.restart}).`, next: `${hint}Run start.` };
}

/** The failure; where a program ended in silence that is said, too. */
function failed(failure: Failure | null): string {
  if (failure === null) return 'It failed.';
  return saidNothing(failure)
    ? `It failed: ${sentence(failure.message)} ${SAID_NOTHING}`
    : `It failed: ${sentence(failure.message)}`;
}

export const SAID_NOTHING = 'Nothing was written to stderr.';

/** A program of it ended, and left no word of why. */
export const saidNothing = ({ exit, stderrTail }: Pick<Failure, 'exit' | 'stderrTail'>): boolean =>
  exit !== null && stderrTail.every((line) => line.trim() === '');

/** A hint may have a list, a line for each. */
export const inOneLine = (text: string): string => text.trim().replaceAll(':\n', ': ').replaceAll('\n', ', ');

/** With a full stop. */
const sentence = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
const clause = (text: string): string => text.trim().replace(/\.$/, '');

const inTime = ({ now }: Pick<View, 'now'>, at: number): string =>
  at - now < 50 ? 'at any moment' : `in ${inWords(at - now)}`;

/** `0.4 s`, `12 s`, `5 min`, `2 h`: as exact as a person asks. */
export function inWords(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  if (seconds < 7170) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
