import { clone } from '../actors/clone.ts';
import type { Confinement } from '../actors/confinement/describe.ts';
import type { ActorContext } from '../actors/context.ts';
import { detect } from '../actors/detect.ts';
import { settingsTaken } from '../actors/env.ts';
import { FailureError } from '../actors/failure-error.ts';
import { createFileView } from '../actors/file-view.ts';
import type { ToolCheck } from '../actors/runtimes.ts';
import type { Doubt } from '../launchers/doubts.ts';
import type { LaunchPlan } from '../launchers/plan.ts';
import type { Environment } from '../machines/contracts.ts';
import { createContext } from './compose.ts';
import { toSpec } from './config.ts';
import { SupervisorError } from './errors.ts';
import type { PluginOptions, SupervisorOptions } from './options.ts';
import { defaultName } from './source.ts';

export interface PlannedSource {
  /** Name that the plugin would get. */
  readonly name: string;
  /** Commit, or the fingerprint of a folder. */
  readonly commit: string;
  readonly plan: LaunchPlan;
  /** Names of the caller's environment variables that the plugin would get. */
  readonly settings: readonly string[];
  /** What this machine has for each of the plan's tools. */
  readonly tools: readonly ToolCheck[];
  /** What the repository leaves to guesswork, and how its author would settle it. */
  readonly doubts: readonly Doubt[];
  /** How an earlier start installed it, and what was tried before that; null when none did. */
  readonly installed: Pick<Environment, 'rung' | 'fallbacks'> | null;
  /** What would confine a start, and what keeps it so on this machine. */
  readonly confinement: Confinement;
}

/** The launch plan of a source and why: clones and detects, runs nothing of the plugin. Rejects with SupervisorError. */
export async function planSource(
  plugin: string | PluginOptions,
  { signal = new AbortController().signal, ...options }: SupervisorOptions & { readonly signal?: AbortSignal } = {},
): Promise<PlannedSource> {
  const spec = toSpec('plugin', plugin, options.defaults);
  const name = defaultName(spec.source);
  const context = createContext(options, () => {});
  try {
    const checkout = await clone(context, { plugin: name, spec }, signal);
    const plan = await detect(context, { plugin: name, spec, checkout });
    const tools = await context.runtimes.check(plan.tools, signal);
    const { findDoubts } = await import('../launchers/doubts.ts');
    const doubts = findDoubts(createFileView(checkout.dir), plan);
    const settings = settingsTaken(plan, context.callerEnv, spec.envPolicy);
    const installed = await installedBefore(context, name, plan);
    const { describeConfinement } = await import('../actors/confinement/describe.ts');
    const confinement = await describeConfinement(context, name, spec);
    return { name, commit: checkout.commit, plan, settings, tools, doubts, installed, confinement };
  } catch (error) {
    if (error instanceof FailureError) throw new SupervisorError(error.failure, name, { cause: error });
    throw error;
  } finally {
    context.guard.close();
    await context.store.ledger.close();
  }
}

/** An environment that was made of these very steps. */
async function installedBefore(
  { store }: ActorContext,
  name: string,
  plan: LaunchPlan,
): Promise<PlannedSource['installed']> {
  const { environment } = await store.readFacts(name);
  const ids = plan.install.map(({ id }) => id);
  if (environment === undefined || (environment.rung !== null && !ids.includes(environment.rung))) return null;
  return { rung: environment.rung, fallbacks: environment.fallbacks ?? [] };
}
