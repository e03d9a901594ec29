/** How a start or a run that ended by itself is judged: crash, another attempt, or a quiet end. Pure. */

import {
  launchFailure,
  nextAttempt,
  nextCandidate,
  noteTried,
  runFailure,
  speaksHttp,
  tellingFailure,
} from '../attempts.ts';
import type { Attempt, ProbeEvent, ProcessEvent } from '../contracts.ts';
import { createFailure, type Failure } from '../failure.ts';
import type { Outcome, PluginContext } from './context.ts';

export type Exited = Extract<ProcessEvent, { type: 'process.exited' }>;
type SpawnFailed = Extract<ProcessEvent, { type: 'process.failed' }>;
type ProbeFailed = Extract<ProbeEvent, { type: 'probe.failed' }>;

/** The part of the context that a way out of `alive` sets. */
type Ending = Pick<PluginContext, 'outcome' | 'tried'>;

/** The attempt that runs; there always is one in `alive`. */
export function runningAttempt({ attempt }: PluginContext): Attempt {
  if (attempt === null) throw new Error('no attempt: a start got past survey without one');
  return attempt;
}

/** The start ended early: the next attempt if there is one worth it, else a crash. */
function endStart(context: PluginContext, failure: Failure, next: Attempt | null): Ending {
  const tried = noteTried(context.tried, runningAttempt(context).candidate, failure);
  const outcome: Outcome =
    next !== null && context.relaunches < context.bounds.relaunches
      ? { to: 'relaunch', attempt: next }
      : { to: 'crashed', failure: tellingFailure(tried, failure) };
  return { outcome, tried };
}

function next(context: PluginContext, end: Pick<Parameters<typeof nextAttempt>[2], 'retry' | 'exited' | 'cause'>) {
  const plan = context.environment?.plan;
  if (plan === undefined) throw new Error('no environment: a start got past install without one');
  const frozen = plan.install.some((rung) => rung.id === context.environment?.rung && rung.frozen === true);
  const dated = context.checkout?.committedAt != null && !frozen;
  return nextAttempt(plan, runningAttempt(context), { ...end, dated });
}

/** What a relaunch can fall back on when its install failed: the former install is still there, for the next candidate. */
export function afterFailedReinstall(context: PluginContext): Attempt | null {
  const { environment, relaunches, bounds } = context;
  if (environment === null || relaunches === 0 || relaunches >= bounds.relaunches) return null;
  return nextCandidate(environment.plan, runningAttempt(context));
}

/** The start that failed says more than the install that was to mend it. */
export function failedJob({ tried }: PluginContext, failure: Failure): Outcome {
  const telling = tellingFailure(tried, failure);
  if (telling === failure) return { to: 'crashed', failure };
  const { code, message } = failure;
  return { to: 'crashed', failure: { ...telling, data: { ...telling.data, reinstall: { code, message } } } };
}

/** The program ended before it was ready, or could not run at all, or the probe gave up on it. */
export function endEarly(context: PluginContext, event: Exited | SpawnFailed | ProbeFailed): Ending {
  switch (event.type) {
    case 'process.exited': {
      const failure = launchFailure(event, runningAttempt(context), context.tried, context.environment);
      const isFixed = failure.code === 'LAUNCH_PORT_FIXED';
      return endStart(
        context,
        failure,
        isFixed ? null : next(context, { retry: null, exited: true, cause: event.cause }),
      );
    }
    case 'process.failed':
      return endStart(context, event.failure, next(context, { retry: null, exited: true, cause: null }));
    case 'probe.failed':
      return endStart(context, event.failure, next(context, { retry: event.retry, exited: false, cause: null }));
  }
}

/** Not ready within its time. */
export function endLate(context: PluginContext): Ending {
  const { timing, generation, listening } = context;
  const ran = `The program ran for ${timing.start / 1000} s but`;
  const failure =
    speaksHttp(runningAttempt(context).transport) && !listening
      ? createFailure('PROBE_NO_PORT', { message: `${ran} never opened a port.`, generation })
      : createFailure('PROBE_TIMEOUT', { message: `${ran} did not become ready.`, generation });
  return endStart(context, failure, null);
}

/** The program ended while ready or idle. With nothing in flight, exit code 0 is its own quiet end. */
export function endRun(context: PluginContext, event: Exited): Outcome {
  const clean = !context.busy && event.exit.code === 0 && context.spec.restart !== 'permanent';
  return clean ? { to: 'absent' } : { to: 'crashed', failure: runFailure(event) };
}

/**
 * What the program's exit adds to an outcome that was decided before it: its last lines, which only the exit brings. A
 * connection that broke just before the program ended (pipes close first) was its end: then `RUN_EXITED` says more.
 */
export function afterExit(context: PluginContext, event: Exited, signalled: boolean): Outcome | null {
  const { outcome } = context;
  if (outcome?.to !== 'crashed') return outcome;
  const { failure } = outcome;
  if (failure.code === 'RUN_DISCONNECTED' && !signalled) return endRun(context, event);
  const stderrTail = failure.stderrTail.length > 0 ? failure.stderrTail : event.stderrTail;
  // A start that timed out behind a wall of output on stdout: what the output is, is the likely reason.
  const noise = failure.code === 'PROBE_TIMEOUT' ? event.cause : null;
  const told = noise && { hint: noise.hint, data: { ...failure.data, noise: noise.detail } };
  return { to: 'crashed', failure: { ...failure, stderrTail, ...told } };
}
