/** Which start comes next when one failed early: the ladder of attempts. Pure. */

import type { Cause, LaunchPlan } from '../launchers/plan.ts';
import type { Attempt, Environment, ProcessEvent } from './contracts.ts';
import { createFailure, type Exit, type Failure } from './failure.ts';

/** The failure that one candidate of the plan ended with. */
export interface Tried {
  readonly candidate: number;
  readonly failure: Failure;
}

/** Why a start failed: the probe asked for another one, or the program ended. */
export interface EarlyEnd {
  /** The probe's wish (era, port). */
  readonly retry: Partial<Attempt> | null;
  /** True when the program ended (or never ran); false when it runs but the probe failed. */
  readonly exited: boolean;
  readonly cause: Cause | null;
  /** Whether there is a date as of which dependencies can be resolved, and that would change anything. */
  readonly dated: boolean;
}

const withCandidate = (plan: LaunchPlan, attempt: Attempt, candidate: number): Attempt => ({
  ...attempt,
  candidate,
  transport: plan.transport,
  endpoint: plan.endpoint,
});

/** The next attempt worth a relaunch, or null: the start has failed. The caller counts them (`Bounds.relaunches`). */
export function nextAttempt(plan: LaunchPlan, attempt: Attempt, end: EarlyEnd): Attempt | null {
  if (end.retry !== null) {
    const wished: Attempt = { ...attempt, ...end.retry };
    const differs = Object.keys(end.retry).some(
      (key) => wished[key as keyof Attempt] !== attempt[key as keyof Attempt],
    );
    // The same start again would fail the same way.
    if (differs || (end.retry.port === 'lease' && leasesAnother(plan))) return wished;
  }
  if (!end.exited) return null;
  switch (end.cause?.kind) {
    case 'missing-setting':
    case 'held-back':
      return null;
    case 'missing-argument':
      return completes(plan, attempt.candidate) ? nextCandidate(plan, attempt) : null;
    case 'port-taken':
      return attempt.port === 'none' || leasesAnother(plan) ? { ...attempt, port: 'lease' } : null;
    case 'runtime-too-old':
    case 'engine-mismatch':
      if (attempt.runtime === 'declared' && (plan.newerTools ?? []).length > 0) return { ...attempt, runtime: 'newer' };
      break;
    case 'missing-module':
    case 'incompatible-dependency':
      if (attempt.dependencies === 'declared' && end.dated) return { ...attempt, dependencies: 'as-of-commit' };
  }
  return nextCandidate(plan, attempt);
}

/** A lease is another port each time: somebody was quicker to bind this one. */
const leasesAnother = ({ port }: LaunchPlan): boolean => port.fixed === null;

/** The next candidate is this one with more arguments. */
function completes({ start }: LaunchPlan, candidate: number): boolean {
  const [now, next] = [start[candidate]?.command, start[candidate + 1]?.command];
  if (now === undefined || next === undefined) return false;
  return (
    now.program === next.program &&
    now.args.length < next.args.length &&
    now.args.every((word, at) => word === next.args[at])
  );
}

/** The next way to start it, or null after the last one. */
export function nextCandidate(plan: LaunchPlan, attempt: Attempt): Attempt | null {
  const candidate = attempt.candidate + 1;
  return candidate < plan.start.length ? withCandidate(plan, attempt, candidate) : null;
}

export const speaksHttp = (transport: Attempt['transport']): boolean => transport !== 'stdio' && transport !== 'auto';

/**
 * Fills in what only a plan knows, for a fresh environment's first start; what is known already stays. Where the transport
 * is open no port is given: a stdio server might bind it.
 */
export function completeAttempt(attempt: Attempt, plan: LaunchPlan): Attempt {
  const transport = attempt.transport === 'auto' ? plan.transport : attempt.transport;
  const endpoint = attempt.endpoint ?? plan.endpoint;
  return { ...attempt, transport, endpoint, port: speaksHttp(transport) ? 'lease' : attempt.port };
}

const howItEnded = ({ code, signal }: Exit): string =>
  signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;

type Exited = Extract<ProcessEvent, { type: 'process.exited' }>;

/** Why a program ended before it was ready, in the environment that it ran in. */
export function launchFailure(
  exited: Exited,
  attempt: Attempt,
  tried: readonly Tried[],
  environment: Environment | null,
): Failure {
  const { cause, generation, exit, stderrTail } = exited;
  const details = {
    message: cause?.detail ?? `The program ${howItEnded(exit)} before it was ready.`,
    hint: cause?.hint,
    generation,
    exit,
    stderrTail,
    data: { candidate: attempt.candidate, ...(cause && { cause: cause.kind }) },
  };
  switch (cause?.kind) {
    case 'missing-setting':
    case 'missing-argument': {
      const wants = [...(environment?.plan.wants ?? [])].sort((a, b) => Number(b.required) - Number(a.required));
      return createFailure('LAUNCH_NEEDS_SETTING', { ...details, data: { ...details.data, wants } });
    }
    case 'missing-module':
    case 'incompatible-dependency': {
      // What is missing now may be what the install had to do without.
      const { fallbacks = [] } = environment ?? {};
      const [first] = fallbacks;
      if (first === undefined) return createFailure('LAUNCH_EXITED', details);
      const hint = `It was installed another way, because ${first.tried} failed: ${first.detail} ${details.hint ?? ''}`;
      return createFailure('LAUNCH_EXITED', { ...details, hint: hint.trim(), data: { ...details.data, fallbacks } });
    }
    case 'held-back':
      return createFailure('LAUNCH_HELD_BACK', details);
    case 'missing-program':
    case 'missing-browser':
    case 'missing-library':
      return createFailure('LAUNCH_MISSING_PROGRAM', details);
    case 'missing-service':
      return createFailure('LAUNCH_MISSING_SERVICE', details);
    case 'port-taken': {
      // A lease makes another port each time: the same complaint again means that it insists on its own.
      const again = tried.some(
        ({ failure }) => failure.code === 'LAUNCH_PORT_TAKEN' && failure.message === details.message,
      );
      return createFailure(again ? 'LAUNCH_PORT_FIXED' : 'LAUNCH_PORT_TAKEN', { ...details, hint: undefined });
    }
    default:
      return createFailure('LAUNCH_EXITED', details);
  }
}

/** Why a program ended while in service. */
export function runFailure({ generation, exit, stderrTail, cause }: Exited): Failure {
  return createFailure('RUN_EXITED', {
    message: cause?.detail ?? `The program ${howItEnded(exit)} while it was in service.`,
    hint: cause?.hint,
    generation,
    exit,
    stderrTail,
    data: cause ? { cause: cause.kind } : {},
  });
}

/** A candidate's last failure replaces its earlier ones. */
export const noteTried = (tried: readonly Tried[], candidate: number, failure: Failure): readonly Tried[] => [
  ...tried.filter((each) => each.candidate !== candidate),
  { candidate, failure },
];

/**
 * What to tell when a start has failed: the first candidate's failure, because it was the likeliest way to run the plugin
 * and the later ones are guesses; the others are noted in `data.others`. One that died without a word gives way to one
 * that says what it lacks.
 */
export function tellingFailure(tried: readonly Tried[], last: Failure): Failure {
  const inOrder = [...tried].sort((a, b) => a.candidate - b.candidate);
  const [likeliest] = inOrder;
  if (likeliest === undefined) return last;
  const lacking = saidNothing(likeliest.failure) ? inOrder.find(({ failure }) => LACKS.has(failure.code)) : undefined;
  const first = lacking ?? likeliest;
  const others = inOrder.filter((each) => each !== first);
  if (others.length === 0) return first.failure;
  const noted = others.map(({ candidate, failure }) => ({ candidate, code: failure.code, message: failure.message }));
  return { ...first.failure, data: { ...first.failure.data, others: noted } };
}

const saidNothing = ({ code, stderrTail, data }: Failure): boolean =>
  code === 'LAUNCH_EXITED' && stderrTail.length === 0 && (data.cause ?? 'unknown') === 'unknown';

const LACKS: ReadonlySet<string> = new Set([
  'LAUNCH_NEEDS_SETTING',
  'LAUNCH_MISSING_PROGRAM',
  'LAUNCH_MISSING_SERVICE',
]);
