/** Shows a checkout to the launchers, and keeps the plan that they make of it. Runs nothing of the plugin. */

import { isRefusal, type LaunchPlan, type Refusal, type Source } from '../launchers/plan.ts';
import type { DetectActor, DetectInput } from '../machines/contracts.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
import { findGaps, withGaps } from './clone/gaps.ts';
import { requireSubdir } from './clone/subdir.ts';
import type { ActorContext } from './context.ts';
import { FailureError } from './failure-error.ts';
import { createFileView } from './file-view.ts';
import { createJob } from './job.ts';
import { planKey } from './store/keys.ts';

export const createDetectActor = (context: ActorContext): DetectActor =>
  createJob<DetectInput, LaunchPlan>('detect', (input) => detect(context, input));

export async function detect(
  { store, launchers }: ActorContext,
  { plugin, spec, checkout }: DetectInput,
): Promise<LaunchPlan> {
  // The subfolder may have been changed since the checkout was made.
  await requireSubdir(checkout.dir, spec.source);
  const { planFor } = await import('../launchers/table.ts');
  const made = planFor(createFileView(checkout.dir), spec, await launchers());
  const gaps = await findGaps(checkout.dir);
  if (isRefusal(made)) {
    const failure = await refusalFailure(made, spec.source);
    return withGaps(gaps, () => Promise.reject(new FailureError(failure)));
  }
  const plan: LaunchPlan = gaps.length === 0 ? made : { ...made, gaps };
  const key = planKey(checkout, spec);
  const facts = await store.readFacts(plugin);
  const isNew = facts.planKey !== key || JSON.stringify(facts.plan) !== JSON.stringify(plan);
  // What was made for the old plan, and learned of it, must not be launched; its folder stays until the new one is there.
  const forgotten = isNew ? { environment: undefined, attempt: undefined, attemptKey: undefined } : {};
  await store.writeFacts(plugin, { planKey: key, plan, ...forgotten });
  return plan;
}

/** Where there are several to choose from, each is named as it is to be typed. */
async function refusalFailure({ code, message, hint, evidence, choices }: Refusal, source: Source): Promise<Failure> {
  if (choices === undefined || source.kind === 'package' || source.kind === 'command' || source.kind === 'remote') {
    return createFailure(code, { message, hint, data: { evidence } });
  }
  const { showSource } = await import('../launchers/source-text.ts');
  const sources = choices.map((subdir) => showSource({ ...source, subdir }));
  const more = sources.length > MOST_NAMED ? `\n… and ${sources.length - MOST_NAMED} more` : '';
  const ask = hint.includes('--subdir') ? 'Choose one of these sources:' : `${hint} The sources are:`;
  return createFailure(code, {
    message,
    hint: `${ask}\n${sources.slice(0, MOST_NAMED).join('\n')}${more}`,
    data: { evidence, choices, sources },
  });
}

/** Lines that a person looks through; `data.sources` has them all. */
const MOST_NAMED = 30;
