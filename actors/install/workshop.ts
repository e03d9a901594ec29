/** One environment in the making: runs a plan's commands in its tree and says why they failed. */

import { isAbsolute, join, resolve } from 'node:path';
import type { Cause, Command, Launcher } from '../../launchers/plan.ts';
import type { InstallInput } from '../../machines/contracts.ts';
import { createFailure, type Failure, type FailureCode } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { jobNetworkEnv } from '../env/network.ts';
import { goesOnline, offlineArgs } from '../env/offline.ts';
import { jobEnv, secretsOf } from '../env.ts';
import { FailureError } from '../failure-error.ts';
import { referredTo } from '../process/references.ts';
import { createRedactor, loginOf, withoutLogins } from '../redact.ts';
import { missingRuntime } from '../runtimes/hints.ts';
import type { Toolset } from '../runtimes.ts';
import { runStep, type StepResult } from '../step.ts';

export interface Workshop {
  readonly context: ActorContext;
  readonly input: InstallInput;
  /** Whoever made the plan; null when it is not among the launchers any more. */
  readonly launcher: Launcher | null;
  readonly toolset: Toolset;
  /** Absolute path in which everything runs. */
  readonly tree: string;
  /** `TMPDIR` of everything that runs; gone when the job has ended. */
  readonly temp: string;
  readonly signal: AbortSignal;
  /** Makes the tree what it was before anything ran in it. */
  renew(): Promise<void>;
}

/** A command that ended badly. */
export interface Broken {
  readonly command: Command;
  readonly result: StepResult;
  readonly cause: Cause;
}

/** Runs commands until one fails; null when all succeeded. Rejects when the signal aborts. */
export async function runAll(workshop: Workshop, commands: readonly Command[]): Promise<Broken | null> {
  for (const command of commands) {
    const broken = await run(workshop, command);
    if (broken !== null) return broken;
  }
  return null;
}

export async function run(workshop: Workshop, command: Command): Promise<Broken | null> {
  const { context, input, toolset, tree, temp, signal } = workshop;
  if (context.offline === true && goesOnline(command.program)) {
    const message = `Offline, and ${command.program} has not built the plugin's image before.`;
    throw new FailureError(createFailure('INSTALL_OFFLINE', { message, data: { missing: 'environment' } }));
  }
  const local = localBins(workshop);
  const env = jobEnv(
    context,
    { ...toolset, path: [...local, ...toolset.path] },
    {
      TMPDIR: temp,
      ...(await jobNetworkEnv(context)),
      ...asOfCommit(input),
      ...pythonForUv(workshop, command),
      ...command.env,
    },
  );
  const clean = createCleaner(workshop);
  const output: ActorContext['output'] = (line) => context.output({ ...line, text: clean(line.text) });
  const result = await runStep(
    { ...context, output },
    {
      plugin: input.plugin,
      stream: 'install',
      program: programPath(command.program, tree, toolset.programs),
      args: context.offline === true ? [...offlineArgs(command.program), ...command.args] : command.args,
      cwd: join(tree, command.cwd),
      env,
    },
    signal,
  );
  noteBlockedScripts(workshop, result);
  return result.ok ? null : { command, result, cause: explain(workshop, command, result) };
}

/**
 * A `.python-version` in the plugin would make uv look for exactly that one, and download it. Not for `uv pip`, which
 * would install into the named Python itself instead of the venv beside it.
 */
function pythonForUv({ toolset }: Workshop, { program, args }: Command): Record<string, string> {
  const { python } = toolset.programs;
  return program === 'uv' && python !== undefined && ['sync', 'venv', 'lock', 'run'].includes(args[0] ?? '')
    ? { UV_PYTHON: python }
    : {};
}

/** A bare name is one of the tools, or left to PATH; a name with a slash is below the tree. */
const programPath = (program: string, tree: string, programs: Toolset['programs']): string =>
  program.includes('/') ? resolve(tree, program) : (programs[program] ?? program);

/** Folders of the programs that installers put into the tree, nearest first; they may not exist yet. */
export const localBins = ({ tree, input }: Pick<Workshop, 'tree' | 'input'>): string[] => {
  const dirs = [...new Set([join(tree, input.plan.projectDir), tree])];
  return ['node_modules/.bin', '.venv/bin'].flatMap((bin) => dirs.map((dir) => join(dir, bin)));
};

/**
 * Makes every installer that can take packages as they were on the commit's date. Locked ones stay as they are: a lock
 * answers before the index is asked.
 */
function asOfCommit({ dependencies, checkout }: InstallInput): Record<string, string> {
  const { committedAt } = checkout;
  if (dependencies !== 'as-of-commit' || committedAt === null) return {};
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(committedAt)) / 60_000));
  return {
    UV_EXCLUDE_NEWER: committedAt,
    PIP_UPLOADED_PRIOR_TO: committedAt,
    NPM_CONFIG_BEFORE: committedAt,
    // pnpm knows no date, only an age.
    pnpm_config_minimum_release_age: String(minutes),
  };
}

/** Compilers report on stdout, installers on stderr: a launcher reads both. */
function explain({ launcher }: Workshop, { program }: Command, result: StepResult): Cause {
  if (result.spawnError === 'ENOENT') {
    const detail = `There is no program ${program}.`;
    return { kind: 'missing-program', detail, hint: `Install ${program}.` };
  }
  const said = `${result.stdout.slice(-16_384)}\n${result.stderr}`;
  if (/\bENOSPC\b|No space left on device|\bEDQUOT\b|Disk quota exceeded/i.test(said)) {
    return { kind: 'out-of-disk', detail: 'The disk is full.', hint: 'Free some space.' };
  }
  return launcher?.explain(said, result.exit) ?? { kind: 'unknown', detail: '', hint: '' };
}

/** The failure of a command: what ran, why it ended, its last lines without logins. */
export function failureOf(workshop: Workshop, broken: Broken, code: FailureCode, data: Failure['data']): Failure {
  const { command, result, cause } = broken;
  if (result.spawnError === 'ENOENT' && !command.program.includes('/')) {
    return missingRuntime({ name: command.program, version: null }, []);
  }
  const line = [command.program, ...command.args].join(' ');
  const ended =
    result.spawnError !== null
      ? `could not be started (${result.spawnError})`
      : result.exit.signal !== null
        ? `was ended by ${result.exit.signal}`
        : `failed with exit code ${result.exit.code}`;
  const clean = createCleaner(workshop);
  return createFailure(CODES[cause.kind] ?? code, {
    message: clean(`\`${line}\` ${ended}${cause.detail === '' ? '.' : `: ${cause.detail}`}`),
    hint: cause.hint === '' ? undefined : clean(cause.hint),
    exit: result.exit,
    stderrTail: result.tail.map(clean),
    data: { ...data, cause: cause.kind },
  });
}

const CODES: { readonly [Kind in Cause['kind']]?: FailureCode } = {
  network: 'INSTALL_NETWORK',
  'needs-login': 'INSTALL_AUTH',
  // A registry or a proxy on this machine.
  'missing-service': 'INSTALL_NETWORK',
  'missing-program': 'INSTALL_MISSING_PROGRAM',
  'missing-library': 'INSTALL_MISSING_PROGRAM',
  'held-back': 'INSTALL_HELD_BACK',
  'out-of-disk': 'HOME_DISK_FULL',
};

/** Takes out logins in URLs, and the plugin's secrets: jobs inherit the caller's environment, and may print it. */
function createCleaner({ context: { callerEnv }, input: { plan, spec } }: Workshop): (text: string) => string {
  const own = spec.env.reveal();
  const secrets = [...secretsOf(plan, own, callerEnv), ...referredTo(own, callerEnv), ...loginOf(spec)];
  const redact = createRedactor(secrets);
  return (text) => withoutLogins(redact(text));
}

const BLOCKED =
  /had install scripts blocked|Ignored build scripts|Blocked \d+ (post)?install|scripts? (was|were) blocked|build scripts have been disabled/i;

/** Native modules whose script was not run fail at the first call, long after the install looked fine. */
function noteBlockedScripts({ context, input }: Workshop, { stdout, stderr }: StepResult): void {
  const line = `${stdout}\n${stderr}`.split('\n').find((each) => BLOCKED.test(each));
  if (line !== undefined) {
    context.log.warn({ plugin: input.plugin, said: line.trim() }, 'the package manager held back install scripts');
  }
}

/** The launcher's word for a file below the tree, as an absolute path. */
export const inTree = (tree: string, path: string): string => (isAbsolute(path) ? path : join(tree, path));
