import { isAbsolute, join, resolve } from 'node:path';
import type { Candidate, LaunchPlan } from '../../launchers/plan.ts';
import type { Environment, ProcessInput } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import { FailureError } from '../failure-error.ts';

/** Servers of one's own machine listen there and nowhere else (MCP transport security). */
export const LOOPBACK = '127.0.0.1';

/** Where an HTTP plugin is asked to listen; null: it was not asked. */
export interface Address {
  readonly port: number | null;
  readonly socket: string | null;
}

/** A command as the system takes it. */
export interface ResolvedCommand {
  /** Absolute, or a bare name to be looked up on the PATH of the plugin. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** The start candidate of this attempt. LAUNCH_SPAWN when the plan has none of that number. */
export function candidateOf({ environment, attempt, generation }: ProcessInput): Candidate {
  const candidate = environment.plan.start[attempt.candidate];
  if (candidate) return candidate;
  throw new FailureError(
    createFailure('LAUNCH_SPAWN', { message: `the plan has no start candidate ${attempt.candidate + 1}`, generation }),
  );
}

/** True when the plugin must be told a port: it is known to speak HTTP over TCP, or was found to, or its command asks. */
export function needsPort(input: ProcessInput): boolean {
  const { environment, attempt } = input;
  if (environment.plan.socket) return false;
  const { args, env = {} } = candidateOf(input).command;
  const words = [...args, ...Object.values(env)];
  const isHttp = [attempt.transport, environment.plan.transport].some(
    (transport) => transport !== 'stdio' && transport !== 'auto',
  );
  return attempt.port === 'lease' || isHttp || words.some((word) => word.includes('{port}'));
}

/**
 * The candidate's command for this environment: placeholders filled in, the plan's port and socket arguments appended.
 * LAUNCH_SPAWN when a word needs a port or socket that there is none of.
 */
export function resolveCommand(environment: Environment, candidate: Candidate, address: Address): ResolvedCommand {
  const { program, args, cwd } = candidate.command;
  const words = [...args, ...addressArgs(environment.plan, args, address)];
  return {
    program: program.includes('/')
      ? isAbsolute(program)
        ? program
        : join(environment.dir, program)
      : (environment.programs[program] ?? program),
    args: words.map((word) => fillIn(word, address)),
    cwd: resolve(environment.dir, cwd),
  };
}

/** Nothing is appended where the command itself says where the address goes. */
function addressArgs({ port, socket }: LaunchPlan, args: readonly string[], address: Address): readonly string[] {
  if (socket && address.socket !== null) return args.some((word) => word.includes('{socket}')) ? [] : socket.args;
  if (address.port !== null) return args.some((word) => word.includes('{port}')) ? [] : port.args;
  return [];
}

/** `{port}`, `{host}` and `{socket}` in one word. */
export function fillIn(word: string, { port, socket }: Address): string {
  const values: Record<string, string | null> = { port: port === null ? null : String(port), host: LOOPBACK, socket };
  return word.replaceAll(/\{(port|host|socket)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value != null) return value;
    throw new FailureError(
      createFailure('LAUNCH_SPAWN', { message: `the command needs ${placeholder}, but the plan gives it none` }),
    );
  });
}
