/** What is known before a start, from the disk alone: no network, no child process, ≤ 5 ms for what runs from git. */

import { fromPromise } from 'xstate';
import type { LaunchPlan, PluginSpec, Source } from '../launchers/plan.ts';
import type { Attempt, Checkout, Environment, Survey, SurveyActor, SurveyInput } from '../machines/contracts.ts';
import { createFailure } from '../machines/failure.ts';
import { listFolder } from './clone/folder-files.ts';
import type { ActorContext } from './context.ts';
import { remotePlan } from './detect/remote.ts';
import { exists } from './exists.ts';
import { FailureError } from './failure-error.ts';
import { isAlive } from './groups.ts';
import { isInstalled } from './install/marker.ts';
import { planKey, sourceKey } from './store/keys.ts';
import type { Facts } from './store/store.ts';

/** The first survey of a supervisor also ends what dead ones left on this home, before anything is started. */
export function createSurveyActor(context: ActorContext): SurveyActor {
  let reaped: Promise<void> | null = null;
  return fromPromise<Survey, SurveyInput>(async ({ input }) => {
    reaped ??= reap(context);
    await reaped;
    return survey(context, input);
  });
}

/** What can't be reaped now must not keep this start from happening: the next one tries again. */
async function reap({ store, log }: ActorContext): Promise<void> {
  try {
    const pids = await store.ledger.reap();
    if (pids.length > 0) log.warn({ pids }, 'ended processes that an earlier supervisor left behind');
  } catch (error) {
    log.warn({ err: error }, 'what earlier supervisors left could not be reaped');
  }
}

/** Names the first stage whose result is missing or answers to something else. Never rejects but for a bug. */
async function survey({ store, log }: ActorContext, { plugin, spec, abandoned }: SurveyInput): Promise<Survey> {
  const nothing: Survey = {
    stale: 'cloning',
    checkout: null,
    plan: null,
    environment: null,
    attempt: firstAttempt(null, spec),
    blocked: null,
  };
  const alive = abandoned.filter(isAlive);
  if (alive.length > 0) {
    const failure = createFailure('STOP_ABANDONED', {
      message: `Processes of an earlier start live still: ${alive.join(', ')}.`,
      data: { pids: alive },
    });
    return { ...nothing, blocked: failure };
  }
  // Nothing of it is on this disk, and what was learned of it may be another tomorrow.
  if (spec.source.kind === 'remote') return remoteSurvey(nothing, spec, store.home);
  let facts: Facts;
  try {
    facts = await store.readFacts(plugin);
  } catch (error) {
    if (error instanceof FailureError) return { ...nothing, blocked: error.failure };
    throw error;
  }
  try {
    return await fromFacts(facts, nothing, spec, store.home);
  } catch (error) {
    // Parsed, and yet not what we write; made anew from the source they can't stand in the way for good.
    if (!(error instanceof TypeError)) throw error;
    log.warn({ plugin, err: error }, 'facts make no sense and are made anew');
    return nothing;
  }
}

/** Launched at once, in an environment that is none. */
async function remoteSurvey(nothing: Survey, spec: PluginSpec, home: string): Promise<Survey> {
  const plan = await remotePlan(spec);
  const checkout = { dir: home, commit: 'remote', committedAt: null };
  const environment = { key: 'remote', dir: home, plan, programs: {}, path: [], rung: null, fallbacks: [] };
  const attempt: Attempt = { ...firstAttempt(plan, spec), port: 'none' };
  return { ...nothing, stale: 'launching', checkout, plan, environment, attempt };
}

async function fromFacts(facts: Facts, nothing: Survey, spec: PluginSpec, home: string): Promise<Survey> {
  const checkout = await freshCheckout(facts, spec.source, home);
  if (checkout === null) return nothing;
  const plan = facts.planKey === planKey(checkout, spec) ? (facts.plan ?? null) : null;
  if (plan === null) return { ...nothing, stale: 'detecting', checkout };
  const known = { ...nothing, checkout, plan, attempt: firstAttempt(plan, spec) };
  const { environment } = facts;
  if (environment === undefined || !(await isInstalled(environment))) return { ...known, stale: 'installing' };
  return { ...known, stale: 'launching', environment, attempt: learnedAttempt(facts, environment, spec) };
}

async function freshCheckout(facts: Facts, source: Source, home: string): Promise<Checkout | null> {
  const { checkout } = facts;
  if (checkout === undefined || facts.sourceKey !== sourceKey(source) || !(await exists(checkout.dir))) return null;
  // What is gone is the clone's to report.
  const fingerprint = await fingerprintOf(source, home).catch(() => null);
  return fingerprint === 'fixed' || fingerprint === checkout.commit ? checkout : null;
}

/** What files of this machine are now; everything else stays as it was fetched until it is updated. */
async function fingerprintOf(source: Source, home: string): Promise<string> {
  if (source.kind === 'folder') return (await listFolder(source.path, home)).fingerprint;
  if (source.kind !== 'archive') return 'fixed';
  const { archiveFingerprint, isLocal } = await import('./clone/archive.ts');
  return isLocal(source) ? archiveFingerprint(source) : 'fixed';
}

/** What the last probe of this environment found; an era that the owner names beats it. */
function learnedAttempt({ attempt, attemptKey }: Facts, { key, plan }: Environment, spec: PluginSpec): Attempt {
  const first = firstAttempt(plan, spec);
  if (attempt === undefined || attemptKey !== key) return first;
  // What an older release learned lacks what this one knows of.
  return { ...first, ...attempt, era: spec.protocol === 'auto' ? attempt.era : spec.protocol };
}

/** The plan's first choice. Where its transport is open, no port is given: a stdio server might bind it. */
function firstAttempt(plan: LaunchPlan | null, spec: PluginSpec): Attempt {
  const transport = plan?.transport ?? spec.overrides.transport ?? 'auto';
  return {
    candidate: 0,
    port: transport === 'auto' || transport === 'stdio' ? 'none' : 'lease',
    transport,
    endpoint: plan?.endpoint ?? spec.overrides.endpoint ?? null,
    era: spec.protocol,
    dependencies: 'declared',
    runtime: 'declared',
  };
}
