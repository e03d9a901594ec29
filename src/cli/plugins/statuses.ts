/** Every plugin and how it is: from the daemon, else as the configuration has it, with nothing running. */

import type { Defaults, PluginStatus } from '../../options.ts';
import { type DaemonClient, findDaemon } from '../daemon/client.ts';
import { configOf } from '../named.ts';
import type { CommandContext } from '../session.ts';
import { homeFor, type PluginsInvocation } from './contracts.ts';

export interface Statuses {
  /** Null when none runs. */
  readonly daemon: DaemonClient | null;
  readonly plugins: readonly PluginStatus[];
  /** Of the daemon's configuration: the file as it is now does not count. */
  readonly problem: string | null;
}

export async function readStatuses(invocation: PluginsInvocation, context: CommandContext): Promise<Statuses> {
  const home = homeFor(invocation, context);
  const daemon = await findDaemon(home, context.shutdown.signal);
  if (daemon !== null) {
    const { plugins } = (await daemon.request('GET', '/plugins')) as { plugins: readonly PluginStatus[] };
    return { daemon, plugins, problem: daemon.state.problem };
  }
  const config = await configOf(home, context.env);
  if (config === null) return { daemon, plugins: [], problem: null };
  const { createSupervisor } = await import('../../supervisor.ts');
  // Only looked at: nothing may start for it.
  const calm = <Options extends Pick<Defaults, 'activation'>>(options: Options): Options =>
    options.activation === 'eager' ? { ...options, activation: 'lazy' } : options;
  const supervisor = createSupervisor({
    home,
    plugins: Object.fromEntries(Object.entries(config.plugins).map(([name, options]) => [name, calm(options)])),
    defaults: calm(config.defaults),
    logFiles: false,
  });
  try {
    return { daemon, plugins: supervisor.status(), problem: null };
  } finally {
    await supervisor.close();
  }
}
