import { unknownPlugin } from '../../errors.ts';
import type { PluginStatus } from '../../options.ts';
import { EXIT } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { statusAsText, statusesAsText } from '../render-status.ts';
import type { CommandContext } from '../session.ts';
import type { PluginsInvocation } from './contracts.ts';
import { readStatuses } from './statuses.ts';

/** Every plugin on a line, or all that is known of those that are named. */
export async function list(invocation: PluginsInvocation, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context.terminal;
  const { names, flags } = invocation;
  const { daemon, plugins, problem } = await readStatuses(invocation, context);
  const chosen = names.length === 0 ? plugins : names.map((name) => find(name, plugins));
  if (flags.json === true) {
    // One name, one object: what a script asks for is what it gets.
    const [only] = chosen;
    const value = names.length === 1 && only !== undefined ? only : { daemon: daemon?.state ?? null, plugins: chosen };
    await stdout.write(`${toJson(value, stdout.isTerminal)}\n`);
    return EXIT.ok;
  }
  if (plugins.length === 0) await stderr.write('There are no plugins: name some in the configuration file.\n');
  else if (names.length === 0) await stdout.write(statusesAsText(chosen, stdout));
  else await stdout.write(chosen.map((status) => statusAsText(status, stdout)).join('\n'));
  if (daemon === null) await stderr.write(stderr.style.dim('No daemon runs; this is what the configuration says.\n'));
  if (problem !== null) await stderr.write(`${stderr.style.red('✗')} The last good configuration counts: ${problem}\n`);
  return EXIT.ok;
}

function find(name: string, plugins: readonly PluginStatus[]): PluginStatus {
  const found = plugins.find((status) => status.name === name);
  if (found !== undefined) return found;
  const names = plugins.map((status) => status.name);
  throw unknownPlugin(name, names, UNNAMED);
}

/** Of a plugin that is not there, where there are none at all. */
export const UNNAMED = 'Name it in the configuration file.';
