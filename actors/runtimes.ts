/** placeholder type; implemented with install */
import type { Tool } from '../launchers/plan.ts';
import type { Failure } from '../machines/failure.ts';

/** Programs found (or fetched into the home) for a plan's tools. */
export interface Toolset {
  /** Bare name → absolute path. */
  readonly programs: Readonly<Record<string, string>>;
  /** Folders that go first on PATH. */
  readonly path: readonly string[];
  /** What the environment key depends on: `node 20.20.2`, `uv 0.9.1`. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Runtimes {
  /** Finds every tool; fetches the ones a registry offers. Never touches the user's system. */
  provide(
    tools: readonly Tool[],
    signal: AbortSignal,
  ): Promise<{ ok: true; toolset: Toolset } | { ok: false; failure: Failure }>;
}
