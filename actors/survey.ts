/** What is known before a start, from the disk alone: no network, no child process, ≤ 5 ms for what runs from git. */

import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromPromise } from 'xstate';
import type { LaunchPlan, PluginSpec, Source } from '../launchers/plan.ts';
import type { Attempt, Checkout, Environment, Survey, SurveyActor, SurveyInput } from '../machines/contracts.ts';
import { createFailure } from '../machines/failure.ts';
import { listFolder } from './clone/folder-files.ts';
import type { ActorContext } from './context.ts';
import { FailureError } from './failure-error.ts';
import { isAlive } from './groups.ts';
import { planKey, sourceKey } from './store/keys.ts';
import type { Facts } from './store/store.ts';

export const createSurveyActor = (context: ActorContext): SurveyActor =>
  fromPromise<Survey, SurveyInput>(({ input }) => survey(context, input));

/** Names the first stage whose result is missing or answers to something else. Never rejects but for a bug. */
async function survey({ store }: ActorContext, { plugin, spec, abandoned }: SurveyInput): Promise<Survey> {
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
  let facts: Facts;
  try {
    facts = await store.readFacts(plugin);
  } catch (error) {
    if (error instanceof FailureError) return { ...nothing, blocked: error.failure };
    throw error;
  }
  const checkout = await freshCheckout(facts, spec.source, store.home);
  if (checkout === null) return nothing;
  const plan = facts.planKey === planKey(checkout, spec) ? (facts.plan ?? null) : null;
  if (plan === null) return { ...nothing, stale: 'detecting', checkout };
  const known = { ...nothing, checkout, plan, attempt: firstAttempt(plan, spec) };
  const environment = await freshEnvironment(facts.environment);
  if (environment === null) return { ...known, stale: 'installing' };
  const learned = facts.attemptKey === environment.key ? facts.attempt : undefined;
  return {
    ...known,
    stale: 'launching',
    environment,
    attempt: learned ?? firstAttempt(environment.plan, spec),
  };
}

async function freshCheckout(facts: Facts, source: Source, home: string): Promise<Checkout | null> {
  const { checkout } = facts;
  if (checkout === undefined || facts.sourceKey !== sourceKey(source) || !(await exists(checkout.dir))) return null;
  if (source.kind === 'git') return checkout;
  // A folder that is gone is the clone's to report.
  const listing = await listFolder(source.path, home).catch(() => null);
  return listing?.fingerprint === checkout.commit ? checkout : null;
}

/** Complete (its marker is written last), and the programs that it was made with are still where they were. */
async function freshEnvironment(environment: Environment | undefined): Promise<Environment | null> {
  if (environment === undefined) return null;
  const marker = await readFile(join(dirname(environment.dir), 'installed.json'), 'utf8').catch(() => null);
  if (marker === null || keyOf(marker) !== environment.key) return null;
  const needed = [environment.dir, ...Object.values(environment.programs)];
  return (await Promise.all(needed.map(exists))).every(Boolean) ? environment : null;
}

function keyOf(marker: string): string | undefined {
  try {
    return (JSON.parse(marker) as Partial<Environment>).key;
  } catch {
    return undefined;
  }
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
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
