/** `mcp-supervisor serve`: the gateway as a daemon, or one AI client's pipe. */

import { supervisorError } from '../errors.ts';
import type { Flags } from './options.ts';
import type { ServeFlags } from './serve/options.ts';
import type { CommandContext } from './session.ts';

export interface ServeInvocation {
  readonly flags: ServeFlags;
  /** With `--stdio`: a source or a name. */
  readonly source: string | undefined;
  readonly pluginArgs: readonly string[];
}

export async function serve(invocation: ServeInvocation, context: CommandContext): Promise<number> {
  const { flags, source, pluginArgs } = invocation;
  const modes = (['stdio', 'detach', 'status', 'stop'] as const).filter((mode) => flags[mode] === true);
  if (modes.length > 1) throw misused(`--${modes[0]} and --${modes[1]} can't be used together.`);
  const [mode] = modes;
  if (mode === 'stdio') return (await import('./serve/stdio.ts')).serveStdioCommand(invocation, context);
  if (source !== undefined || pluginArgs.length > 0) {
    throw misused(
      'serve takes a source only with --stdio.',
      'Name its plugins in a configuration file; or add --stdio.',
    );
  }
  if (flags.profile !== undefined) throw misused('--profile is for --stdio.');
  const { refuseFlags } = await import('./named.ts');
  refuseFlags(null, flags as Flags);
  switch (mode) {
    case 'detach':
      return (await import('./serve/detach.ts')).detach(flags, context);
    case 'status':
      return (await import('./serve/control.ts')).daemonStatus(flags, context);
    case 'stop':
      return (await import('./serve/control.ts')).stopDaemon(flags, context);
    default:
      return (await import('./serve/daemon.ts')).runDaemon(flags, context);
  }
}

const misused = (message: string, hint = 'See mcp-supervisor serve --help.') =>
  supervisorError('CONFIG_INVALID', { message, hint });
