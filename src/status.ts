import type { SnapshotFrom } from 'xstate';
import type { Instance } from '../actors/context.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { pluginMachine } from '../machines/plugin.ts';
import { type PluginState, stateName, subState } from '../machines/states.ts';
import type { Explanation } from './explain-status.ts';
import type { PluginStatus } from './options.ts';
import { showSource } from './source.ts';
import { visibleTools } from './tool-filter.ts';

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
  /** Which of its tools there are; null: all. */
  readonly shows?: ((tool: string) => boolean) | null;
}

/** A plugin as a person may see it; never holds a credential or a value of its environment. */
export function toStatus(parts: StatusParts): PluginStatus {
  const { name, spec, snapshot, instance, since, inFlight, explained, shows = null } = parts;
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
    era: live?.session?.era ?? null,
    url: live?.session?.url ?? null,
    tools: live?.session ? visibleTools(live.session.tools, shows).length : null,
    noise: noiseOf(live),
    failure: context?.failure ?? context?.health.failure ?? null,
    retryAt: retryAt === null ? null : new Date(retryAt).toISOString(),
    held: context?.held.length ?? 0,
    inFlight,
    ...explained,
    source: showSource(spec.source),
  };
}

/** From the one that serves best to the one that does least. */
const BEST_FIRST: readonly PluginState[] = [
  'ready',
  'idle',
  'probing',
  'launching',
  'installing',
  'detecting',
  'cloning',
  'stopping',
  'crashed',
  'absent',
];

/** A plugin with several processes: what is true of the best of them, and all of them beside it. */
export function toStatusOfAll(name: string, instances: readonly [PluginStatus, ...PluginStatus[]]): PluginStatus {
  const rank = ({ state }: PluginStatus) => BEST_FIRST.indexOf(state);
  const best = instances.reduce((best, each) => (rank(each) < rank(best) ? each : best));
  const sum = (of: 'held' | 'inFlight') => instances.reduce((total, each) => total + each[of], 0);
  return { ...best, name, held: sum('held'), inFlight: sum('inFlight'), instances };
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
