/** The programs that plans need: found on this machine, or fetched into the home; never the user's system. */

import type { Tool } from '../launchers/plan.ts';
import type { Failure } from '../machines/failure.ts';
import type { ActorContext } from './context.ts';
import type { StepContext } from './step.ts';

/** Programs found (or fetched into the home) for a plan's tools. */
export interface Toolset {
  /** Bare name → absolute path. */
  readonly programs: Readonly<Record<string, string>>;
  /** Folders that go first on PATH. */
  readonly path: readonly string[];
  /** What the environment key depends on: `node 20.20.2`, `uv 0.9.1`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What this machine has for one tool of a plan. */
export interface ToolCheck {
  readonly name: string;
  /** As the plan wants it; null takes any. */
  readonly wanted: string | null;
  /** The program that fits; null when there is none. */
  readonly found: { readonly program: string; readonly version: string } | null;
  /** True when one that fits would be fetched into the home at the first start. */
  readonly fetchable: boolean;
  /** How to get it where it is neither there nor fetchable; '' otherwise. */
  readonly hint: string;
}

export interface Runtimes {
  /** Looks for every tool and fetches none; rejects with the signal's reason. */
  check(tools: readonly Tool[], signal: AbortSignal): Promise<readonly ToolCheck[]>;
  /**
   * Finds every tool; fetches the ones a registry offers. Never touches the user's system. Outcomes: the toolset,
   * DETECT_MISSING_RUNTIME, INSTALL_NETWORK (could be fetched, but not now); rejects with the signal's reason.
   */
  provide(
    tools: readonly Tool[],
    signal: AbortSignal,
  ): Promise<{ ok: true; toolset: Toolset } | { ok: false; failure: Failure }>;
}

export type RuntimesContext = StepContext & Pick<ActorContext, 'callerEnv' | 'offline'>;

/** Starts and loads nothing until asked; what it found it remembers as long as it lives. */
export function createRuntimes(context: RuntimesContext): Runtimes {
  let finder: Promise<Runtimes> | undefined;
  const load = () => {
    finder ??= import('./runtimes/finder.ts').then(({ createFinder }) => createFinder(context));
    return finder;
  };
  return {
    check: async (tools, signal) => (await load()).check(tools, signal),
    provide: async (tools, signal) => (await load()).provide(tools, signal),
  };
}
