/** Shows a checkout to the launchers, and keeps the plan that they make of it. Runs nothing of the plugin. */

import { isRefusal, type LaunchPlan, type Refusal } from '../launchers/plan.ts';
import type { DetectActor, DetectInput } from '../machines/contracts.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
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
  const plan = planFor(createFileView(checkout.dir), spec, await launchers());
  if (isRefusal(plan)) throw new FailureError(refusalFailure(plan));
  const key = planKey(checkout, spec);
  const facts = await store.readFacts(plugin);
  const isNew = facts.planKey !== key || JSON.stringify(facts.plan) !== JSON.stringify(plan);
  // What was made for the old plan, and learned of it, must not be launched; its folder stays until the new one is there.
  const forgotten = isNew ? { environment: undefined, attempt: undefined, attemptKey: undefined } : {};
  await store.writeFacts(plugin, { planKey: key, plan, ...forgotten });
  return plan;
}

function refusalFailure({ code, message, hint, evidence, choices }: Refusal): Failure {
  return createFailure(code, { message, hint, data: { evidence, ...(choices === undefined ? {} : { choices }) } });
}
