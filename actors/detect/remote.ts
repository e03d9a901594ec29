import type { LaunchPlan, PluginSpec } from '../../launchers/plan.ts';

/** The plan of a server that runs elsewhere: known without looking at anything. */
export async function remotePlan(spec: PluginSpec): Promise<LaunchPlan> {
  const { planRemote } = await import('../../launchers/remote.ts');
  return planRemote(spec);
}
