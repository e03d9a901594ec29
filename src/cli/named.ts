/** A word of the command line that is the name of a plugin: known to the daemon, or to the configuration file. */

import { supervisorError } from '../errors.ts';
import { homeOf } from '../home.ts';
import type { Defaults, PluginOptions } from '../options.ts';
import { type DaemonClient, findDaemon } from './daemon/client.ts';
import type { Flags, Invocation } from './options.ts';
import type { CommandContext } from './session.ts';

/** What the configuration says of one plugin. */
export interface Configured {
  readonly name: string;
  readonly options: PluginOptions;
  readonly defaults: Defaults;
}

export type Named =
  | { readonly kind: 'daemon'; readonly name: string; readonly daemon: DaemonClient }
  | ({ readonly kind: 'configured' } & Configured);

/** Sources have a slash, a colon, a dot in front or a blank; names have none of them. */
export const isName = (word: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(word);

type Env = Pick<CommandContext, 'env' | 'shutdown'>;

/** Null for a word that nobody knows as a name. `alone` asks no daemon. */
export async function findNamed(
  word: string,
  flags: Flags,
  { env, shutdown }: Env,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<Named | null> {
  if (!isName(word)) return null;
  const home = homeOf({ home: flags.home, env });
  const daemon = alone ? null : await findDaemon(home, shutdown.signal);
  if (daemon?.state.plugins.includes(word)) {
    refuseFlags(word, flags);
    return { kind: 'daemon', name: word, daemon };
  }
  const config = await configOf(home, env);
  const options = config !== null && Object.hasOwn(config.plugins, word) ? config.plugins[word] : undefined;
  if (config === null || options === undefined) return null;
  refuseFlags(word, flags);
  return { kind: 'configured', name: word, options, defaults: config.defaults };
}

/** The daemon's, or those of the configuration. */
export async function knownNames(flags: Flags, { env, shutdown }: Env): Promise<readonly string[]> {
  const home = homeOf({ home: flags.home, env });
  const daemon = await findDaemon(home, shutdown.signal);
  return daemon?.state.plugins ?? Object.keys((await configOf(home, env))?.plugins ?? {});
}

/** Null when there is no file. It is read only where it stands: without one, nothing is loaded for it. */
export async function configOf(home: string, env: NodeJS.ProcessEnv) {
  const { findConfig } = await import('../config-file/find.ts');
  const file = findConfig({ home, env });
  if (file === null) return null;
  const { loadConfig } = await import('../config-file/load.ts');
  return loadConfig(file, env);
}

/** `time.now` as a plugin and its tool, where the whole word is no plugin. */
export function splitTool(word: string): readonly (readonly [name: string, tool: string])[] {
  const parts = word.split('.');
  // A name may have dots itself: the longest is looked for first.
  return parts.slice(1).map((_, at) => {
    const end = parts.length - 1 - at;
    return [parts.slice(0, end).join('.'), parts.slice(end).join('.')] as const;
  });
}

/** What a plugin is, its configuration says: a flag that says otherwise would be passed over. */
const OF_SOURCES =
  'ref subdir header env envFile command transport endpoint allowScripts envPolicy limit user sandbox allowRead allowWrite'.split(
    ' ',
  ) as (keyof Flags)[];

/** `name`: null where nothing was named at all. */
export function refuseFlags(name: string | null, flags: Flags): void {
  const given =
    OF_SOURCES.find((flag) => flags[flag] !== undefined) ?? (flags.network === false ? 'network' : undefined);
  if (given === undefined) return;
  const flag = (given === 'network' ? 'noNetwork' : given).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw supervisorError('CONFIG_INVALID', {
    message:
      name === null
        ? `--${flag} is for a source, and none was given.`
        : `--${flag} is for sources, and '${name}' is a plugin of the configuration.`,
    hint: 'Say it in the configuration file, or give the source itself.',
  });
}

/** The invocation of a configured plugin: the rest of what takes a source takes it as well. */
export const invocationOf = (
  named: Configured,
  { flags, pluginArgs }: Pick<Invocation, 'flags' | 'pluginArgs'>,
): Invocation => ({
  source: named.options.source ?? named.options.url ?? named.name,
  flags,
  pluginArgs,
  named,
});
