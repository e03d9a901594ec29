import type { Exit } from '../machines/failure.ts';
import type { ActorContext, OutputLine } from './context.ts';

/** One command of a clone or install job, fully resolved. */
export interface Step {
  readonly plugin: string;
  readonly stream: OutputLine['stream'];
  /** Absolute path, or a name on the PATH of `env`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
}

export interface StepResult {
  /** `{code: null, signal: null}` when it could not be spawned. */
  readonly exit: Exit;
  readonly ok: boolean;
  /** Set when it could not be spawned: `ENOENT`, `EACCES` … */
  readonly spawnError: string | null;
  /** At most the last 1 MiB. */
  readonly stdout: string;
  /** At most the last 64 KiB. */
  readonly stderr: string;
  /** Last lines of stderr, else of stdout; at most 20. */
  readonly tail: readonly string[];
}

/**
 * Runs a command in its own process group with stdin closed; resolves when the command has ended and its whole group is
 * gone. Aborting ends the group (TERM+CONT, 2 s, KILL) and then rejects with the signal's reason. A failing command is a
 * result, not a rejection.
 */
export async function runStep(context: ActorContext, step: Step, signal: AbortSignal): Promise<StepResult> {
  throw new Error(`not written yet: ${context.store.home} ${step.program} ${signal.aborted}`);
}
