/** start, stop, restart, reset and wait: the daemon does it to each of them at once; what fails is told for each. */

import type { SupervisorError } from '../../errors.ts';
import { supervisorError } from '../../errors.ts';
import type { PluginStatus } from '../../options.ts';
import { type DaemonClient, needDaemon } from '../daemon/client.ts';
import { followPlugin } from '../daemon/follow.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { asSupervisorError, errorAsText } from '../render-error.ts';
import { painter, stateOf } from '../render-status.ts';
import type { CommandContext } from '../session.ts';
import { homeFor, type PluginsInvocation } from './contracts.ts';

type Outcome = { readonly name: string } & ({ readonly status: PluginStatus } | { readonly error: SupervisorError });

export type Command = 'start' | 'stop' | 'restart' | 'reset' | 'wait';

export async function drive(command: Command, invocation: PluginsInvocation, context: CommandContext): Promise<number> {
  const { names: given, flags } = invocation;
  const { terminal, shutdown } = context;
  if (flags.all === true && given.length > 0) throw misused(`--all and a name can't be given together.`, command);
  if (flags.all !== true && given.length === 0) throw misused(`Missing required argument 'name'.`, command);
  const daemon = await needDaemon(homeFor(invocation, context), shutdown.signal);
  const names = flags.all === true ? daemon.state.plugins : [...new Set(given)];

  const progress = names.length === 1 ? followPlugin(daemon, names[0] ?? '', flags, terminal, shutdown.signal) : null;
  const outcomes = await Promise.all(
    names.map(async (name): Promise<Outcome> => {
      try {
        return { name, status: await one(daemon, command, name, invocation, shutdown.signal) };
      } catch (error) {
        return { name, error: asSupervisorError(error) };
      }
    }),
  );
  progress?.end();
  return print(outcomes, flags.all === true || names.length > 1, invocation, context);
}

async function one(
  daemon: DaemonClient,
  command: Command,
  name: string,
  { flags }: PluginsInvocation,
  signal: AbortSignal,
): Promise<PluginStatus> {
  const path = encodeURIComponent(name);
  if (command !== 'wait') {
    const limit =
      flags.timeout === undefined || !/^(re)?start$/.test(command)
        ? ''
        : `?timeout=${Math.ceil(flags.timeout * 1000)}ms`;
    return (await daemon.request('POST', `/plugins/${path}/${command}${limit}`)) as PluginStatus;
  }
  const wanted = flags.for ?? 'ready';
  const patience = flags.timeout === undefined ? null : AbortSignal.timeout(Math.ceil(flags.timeout * 1000));
  try {
    const until = patience === null ? signal : AbortSignal.any([signal, patience]);
    return (await daemon.request('GET', `/daemon/wait/${path}/${encodeURIComponent(wanted)}`, {
      signal: until,
    })) as PluginStatus;
  } catch (error) {
    if (patience?.aborted !== true || signal.aborted) throw error;
    throw supervisorError(
      'CALL_START_TIMEOUT',
      {
        message: `${name} was not ${wanted} within ${flags.timeout} s.`,
        hint: `Look why with \`mcp-supervisor status ${name}\`, or raise --timeout.`,
      },
      name,
    );
  }
}

async function print(
  outcomes: readonly Outcome[],
  several: boolean,
  { flags }: PluginsInvocation,
  { terminal: { stdout, stderr } }: CommandContext,
): Promise<number> {
  const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  const [first] = failed;
  // One that fails is told as every command tells it.
  if (!several && first !== undefined) throw first;
  if (flags.json === true) {
    const [only] = outcomes;
    const value = several
      ? { plugins: outcomes.map(({ name, ...rest }) => ({ name, ...rest })) }
      : only && 'status' in only
        ? only.status
        : null;
    await stdout.write(`${toJson(value, stdout.isTerminal)}\n`);
  } else {
    for (const outcome of outcomes) {
      if ('error' in outcome) await stderr.write(errorAsText(outcome.error, stderr, outcome.name));
      else {
        const { status } = outcome;
        await stdout.write(`${stdout.style.bold(outcome.name)} ${painter(status, stdout.style)(stateOf(status))}\n`);
      }
    }
  }
  return first === undefined ? EXIT.ok : exitCodeOf(first);
}

const misused = (message: string, command: Command) =>
  supervisorError('CONFIG_INVALID', { message, hint: `See mcp-supervisor ${command} --help.` });
