import type { SnapshotFrom } from 'xstate';
import type { Instance } from '../actors/context.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { pluginMachine } from '../machines/plugin.ts';
import { stateName, subState } from '../machines/states.ts';
import type { Explanation } from './explain-status.ts';
import type { PluginStatus } from './options.ts';
import { showSource } from './source.ts';

export type PluginSnapshot = SnapshotFrom<typeof pluginMachine>;

export interface StatusParts {
  readonly name: string;
  readonly spec: PluginSpec;
  /** The one snapshot that also feeds the router; undefined before the actor exists. */
  readonly snapshot: PluginSnapshot | undefined;
  readonly instance: Instance | undefined;
  readonly since: string;
  readonly inFlight: number;
  /** Why, and what next. */
  readonly explained: Explanation;
}

/** A plugin as a person may see it; never holds a credential or a value of its environment. */
export function toStatus({ name, spec, snapshot, instance, since, inFlight, explained }: StatusParts): PluginStatus {
  const context = snapshot?.context;
  const live = instance !== undefined && instance.generation === context?.generation ? instance : null;
  const retryAt = context?.retryAt ?? context?.trialAt ?? null;
  return {
    name,
    state: snapshot === undefined ? 'absent' : stateName(snapshot.value),
    subState: snapshot === undefined ? null : subState(snapshot.value),
    since,
    generation: context?.generation ?? 0,
    pid: context?.leader === 'gone' ? null : (live?.process.pid ?? null),
    transport: live?.session?.transport ?? null,
    url: live?.session?.url ?? null,
    tools: live?.session?.tools.length ?? null,
    noise: noiseOf(live),
    failure: context?.failure ?? context?.health.failure ?? null,
    retryAt: retryAt === null ? null : new Date(retryAt).toISOString(),
    held: context?.held.length ?? 0,
    inFlight,
    ...explained,
    source: showSource(spec.source),
  };
}

function noiseOf(live: Instance | null): PluginStatus['noise'] {
  if (live?.noise == null || live.noise.lines === 0) return null;
  const { lines, cause } = live.noise;
  return { lines, cause: cause?.detail ?? null, hint: cause?.hint ?? null };
}

/** No process of it is left, and nothing is about to start one. */
export function isAtRest(snapshot: PluginSnapshot | undefined): boolean {
  if (snapshot === undefined) return true;
  const state = stateName(snapshot.value);
  const sub = subState(snapshot.value);
  return (state === 'absent' && sub !== 'checking') || (state === 'crashed' && sub === 'parked');
}
