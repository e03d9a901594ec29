/**
 * Limits, another user and a sandbox around a plugin's command: the command goes in, and comes out with words before it
 * that all become the next one (exec), so that the group, its signals, the pipes and the cookie stay what they were. Only
 * bubblewrap stays, as the leader. A plugin that asks for none of it is started as it is.
 */

import type { ResourceLimits } from '../launchers/plan.ts';
import type { ProcessInput } from '../machines/contracts.ts';
import type { Exit, Failure } from '../machines/failure.ts';
import type { ActorContext } from './context.ts';
import type { Family } from './groups.ts';
import type { Address, ResolvedCommand } from './process/command.ts';

type Variables = Readonly<Record<string, string>>;

export interface Confined {
  readonly command: ResolvedCommand;
  readonly env: Variables;
  /** From now on looks after the limits; `tell` hears of the first that is broken, once. */
  watch(family: Family, tell: (failure: Failure) => void): void;
  /** The program's own exit, also where a wrapper told it in its way. */
  exitOf(exit: Exit): Exit;
  /** The limit that ended it; null when none did, as far as can be told. */
  breachBy(exit: Exit, stderrTail: readonly string[]): Failure | null;
  /** Kills all of it by what confines it; what is not confined so is killed by its group alone. */
  kill(): void;
  /** Stops looking. */
  rest(): void;
  /** Once nothing of it is left. */
  dispose(): Promise<void>;
}

export interface ToConfine {
  readonly input: ProcessInput;
  readonly command: ResolvedCommand;
  readonly env: Variables;
  readonly address: Address;
  readonly cookie: string;
}

export const hasLimits = (limits: ResourceLimits = {}): boolean =>
  Object.values(limits).some((limit) => limit !== undefined);

/** Rejects with a FailureError: CONFIG_LIMIT, CONFIG_USER, CONFIG_SANDBOX, CONFIG_SANDBOX_NETWORK, LAUNCH_SPAWN. */
export async function confine(context: ActorContext, what: ToConfine): Promise<Confined> {
  const { limits, user, sandbox } = what.input.spec;
  if (!hasLimits(limits) && user === undefined && sandbox === undefined) return unconfined(what);
  const { confineAsAsked } = await import('./confinement/as-asked.ts');
  return confineAsAsked(context, what);
}

export const unconfined = ({ command, env }: Pick<ToConfine, 'command' | 'env'>): Confined => ({
  command,
  env,
  watch: () => undefined,
  exitOf: (exit) => exit,
  breachBy: () => null,
  kill: () => undefined,
  rest: () => undefined,
  dispose: async () => undefined,
});
