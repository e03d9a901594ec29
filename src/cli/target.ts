/** What `tools` and `call` work on: a plugin of the daemon, or one of our own for the length of the command. */

import type { ToolDescription } from '../../actors/context.ts';
import { closest } from '../closest.ts';
import { SupervisorError, supervisorError } from '../errors.ts';
import type { CallOptions } from '../options.ts';
import type { DaemonClient } from './daemon/client.ts';
import { followPlugin } from './daemon/follow.ts';
import { findNamed, invocationOf, isName, knownNames } from './named.ts';
import type { Invocation } from './options.ts';
import type { Progress } from './progress.ts';
import { isDescribed } from './schema.ts';
import { type CommandContext, NO_LIMIT, openSession } from './session.ts';

export interface Target {
  readonly label: string;
  readonly progress: Progress;
  /** `fresh` asks the plugin itself. */
  tools(fresh?: boolean): Promise<readonly ToolDescription[]>;
  /** It is no MCP server: whatever is sent is for it to judge. Only after `tools`. */
  isPlain(): boolean;
  call(
    payload: Readonly<Record<string, unknown>>,
    onProgress: NonNullable<CallOptions['onProgress']>,
  ): Promise<unknown>;
}

export async function openTarget(invocation: Invocation, context: CommandContext): Promise<Target> {
  const { source, flags, pluginArgs } = invocation;
  const named =
    invocation.named === undefined && pluginArgs.length === 0 ? await findNamed(source, flags, context) : null;
  if (named?.kind === 'daemon') return ofDaemon(named.name, named.daemon, invocation, context);
  if (named !== null) return ofOwn(invocationOf(named, invocation), context);
  return ofOwn(invocation, context).catch(async (error: unknown) => {
    throw await withNearName(error, invocation, context);
  });
}

/** A word that is no source may be a plugin's name, mistyped. */
async function withNearName(error: unknown, { source, flags }: Invocation, context: CommandContext): Promise<unknown> {
  if (!SupervisorError.is(error) || error.code !== 'CONFIG_SOURCE' || !isName(source)) return error;
  const near = closest(source, await knownNames(flags, context));
  if (near.length === 0) return error;
  const { message, data } = error;
  return supervisorError('CONFIG_SOURCE', { message, data, hint: `Did you mean ${near.join(' or ')}? ${error.hint}` });
}

async function ofOwn(invocation: Invocation, context: CommandContext): Promise<Target> {
  const { supervisor, name, label, progress } = await openSession(invocation, context);
  const { signal } = context.shutdown;
  return {
    label,
    progress,
    tools: () => supervisor.tools(name, { startTimeout: NO_LIMIT, signal }),
    isPlain: () => supervisor.status(name).transport === 'http',
    call: (payload, onProgress) => supervisor.call(name, payload, { signal, startTimeout: NO_LIMIT, onProgress }),
  };
}

function ofDaemon(
  name: string,
  daemon: DaemonClient,
  { flags }: Invocation,
  { terminal, shutdown }: CommandContext,
): Target {
  const { signal } = shutdown;
  const path = `/plugins/${encodeURIComponent(name)}`;
  const limit = flags.timeout === undefined ? '' : `?timeout=${Math.ceil(flags.timeout * 1000)}ms`;
  let plain = false;
  const progress = followPlugin(daemon, name, flags, terminal, signal);
  return {
    label: name,
    progress,
    async tools(fresh = false) {
      const { tools } = (await daemon.request('GET', `${path}/tools${fresh ? '?refresh=true' : ''}`)) as {
        tools: readonly ToolDescription[];
      };
      // One that sleeps has no transport; what it listed tells as much.
      plain = tools.some((tool) => !isDescribed(tool));
      if (tools.length === 0) {
        const { transport } = (await daemon.request('GET', path)) as { transport: string | null };
        plain = transport === 'http';
      }
      return tools;
    },
    isPlain: () => plain,
    call: (payload) => daemon.request('POST', `${path}${limit}`, { body: payload }),
  };
}
