/** One plugin for the length of one command: a supervisor of its own, shown on its way, closed in every case. */

import type { Failure } from '../../machines/failure.ts';
import { SupervisorError } from '../errors.ts';
import type { PluginOptions, Supervisor, SupervisorOptions } from '../options.ts';
import { type Invocation, toPluginOptions } from './options.ts';
import {
  createLineProgress,
  createLinesProgress,
  type Progress,
  type ProgressParts,
  silentProgress,
} from './progress.ts';
import type { Shutdown } from './shutdown.ts';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  readonly shutdown: Shutdown;
  readonly env: NodeJS.ProcessEnv;
}

export interface Session {
  readonly supervisor: Supervisor;
  readonly name: string;
  /** The name as a person would say it. */
  readonly label: string;
  readonly progress: Progress;
}

/** A command that ends doesn't wait for a plugin's long good-bye: EOF 250 ms → TERM 1 s → KILL. */
const QUICK_STOP = { drain: 250, inputClose: 250, terminate: 1000 };

/** The deadlines of clone, install and start tell better what took too long than one over all of them could. */
export const NO_LIMIT = Number.POSITIVE_INFINITY;

/** A one-shot command tells of the first crash, rather than trying again. */
const ONE_SHOT: Partial<PluginOptions> = { restart: 'temporary', idleStop: false };

/** How the state of the plugin is shown; each command has its own idea of `plain`. */
export type ShowProgress = (parts: ProgressParts) => Progress;

export async function openSession(
  invocation: Invocation,
  { terminal, shutdown, env }: CommandContext,
  {
    defaults = ONE_SHOT,
    show = chooseProgress(invocation, terminal),
  }: { defaults?: Partial<PluginOptions>; show?: ShowProgress } = {},
): Promise<Session> {
  const { named } = invocation;
  const given = named?.options ?? (await toPluginOptions(invocation, env));
  const name = named?.name ?? (await nameOf(invocation, given));
  const label = named?.name ?? labelOf(name);
  const { createSupervisor } = await import('../supervisor.ts');
  const supervisor = createSupervisor({
    ...supervisorOptions(invocation),
    ...(named === undefined ? {} : { defaults: named.defaults }),
    plugins: { [name]: { ...given, ...limitsOf(named, invocation), ...defaults } },
  });
  let abandoned: Failure | null = null;
  supervisor.on('plugin:crashed', ({ failure }) => {
    if (failure?.code === 'STOP_ABANDONED') abandoned = failure;
  });
  shutdown.own(async () => {
    await supervisor.close();
    // Whoever asked for the command must know of what it leaves behind, though the result was good.
    if (abandoned !== null) throw new SupervisorError(abandoned, name);
  });

  const progress = show({ output: terminal.stderr, label, status: () => supervisor.status(name) });
  shutdown.signal.addEventListener('abort', () => progress.end(), { once: true });
  supervisor.on('plugin:state', (change) => progress.state(change));
  supervisor.on('plugin:log', (line) => progress.log(line));
  return { supervisor, name, label, progress };
}

async function nameOf({ source: text }: Invocation, { ref, subdir }: PluginOptions): Promise<string> {
  const { defaultName, parseSource } = await import('../source.ts');
  return defaultName(parseSource(text, { ref, subdir }).source);
}

/** What of the flags is for a plugin of the configuration, too. */
function limitsOf(named: Invocation['named'], { flags: { timeout }, pluginArgs }: Invocation): Partial<PluginOptions> {
  if (named === undefined) return {};
  const limit = timeout === undefined ? null : Math.ceil(timeout * 1000);
  return {
    ...(limit === null ? {} : { timeouts: { clone: limit, install: limit, start: limit, call: limit } }),
    ...(pluginArgs.length === 0 ? {} : { args: [...(named.options.args ?? []), ...pluginArgs] }),
  };
}

export const supervisorOptions = ({ flags }: Invocation): SupervisorOptions => ({
  timing: QUICK_STOP,
  ...(flags.home === undefined ? {} : { home: flags.home }),
  ...(flags.offline === true ? { offline: true } : {}),
});

/** `server-time-1a2b3c` is `server-time` to a person. */
export const labelOf = (name: string): string => name.replace(/-[0-9a-f]{6}$/, '');

const chooseProgress =
  ({ flags }: Invocation, { stderr }: Terminal): ShowProgress =>
  (parts) => {
    if (flags.verbose === true) {
      return createLinesProgress({ ...parts, streams: new Set(['clone', 'install', 'stdout', 'stderr']) });
    }
    return stderr.isTerminal && flags.json !== true ? createLineProgress(parts) : silentProgress;
  };
