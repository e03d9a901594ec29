/** What would confine a start, for `detect`: looked up as a start would, without starting anything. */

import type { EnvPolicy, PluginSpec, ResourceLimits, Sandbox } from '../../launchers/plan.ts';
import type { ActorContext } from '../context.ts';
import { usesProc } from '../platform.ts';
import { onPath } from '../runtimes/find.ts';
import { controllersFor, findCgroup } from './cgroup.ts';

export interface Confinement {
  readonly environment: EnvPolicy;
  /** Each limit, and what keeps it: null means that the start would be refused (CONFIG_LIMIT). */
  readonly limits: Readonly<
    Record<string, { readonly allowed: number; readonly kept: 'cgroup' | 'sample' | 'rlimit' | null }>
  >;
  /** Null: ours. */
  readonly user: string | null;
  /** With the program that makes it; a null program means that the start would be refused (CONFIG_SANDBOX). */
  readonly sandbox: (Sandbox & { readonly program: string | null; readonly data: string }) | null;
}

export async function describeConfinement(
  { store, callerEnv }: Pick<ActorContext, 'store' | 'callerEnv'>,
  plugin: string,
  { envPolicy, limits = {}, user, sandbox }: PluginSpec,
): Promise<Confinement> {
  const hasCgroup = usesProc && findCgroup(controllersFor(limits)) !== null;
  const kept: Readonly<Record<keyof ResourceLimits, Confinement['limits'][string]['kept']>> = {
    memory: hasCgroup ? 'cgroup' : 'sample',
    cpu: hasCgroup ? 'cgroup' : null,
    cpuTime: 'rlimit',
    processes: 'sample',
    files: 'rlimit',
  };
  const named = Object.entries(limits) as [keyof ResourceLimits, number][];
  const [program = null] = sandbox === undefined ? [] : await onPath('bwrap', callerEnv);
  return {
    environment: envPolicy,
    limits: Object.fromEntries(named.map(([name, allowed]) => [name, { allowed, kept: kept[name] }])),
    user: user ?? null,
    sandbox: sandbox === undefined ? null : { ...sandbox, program, data: store.dataDir(plugin) },
  };
}
