/** `serve --stdio`: one AI client's pipe, served by the daemon where one runs, else by a supervisor of its own. */

import { type Config, emptyConfig } from '../../config-file/contracts.ts';
import { supervisorError, unknownPlugin } from '../../errors.ts';
import type { PluginOptions } from '../../options.ts';
import { findDaemon } from '../daemon/client.ts';
import { EXIT } from '../exit-codes.ts';
import { refuseFlags } from '../named.ts';
import type { Flags } from '../options.ts';
import type { ServeInvocation } from '../serve.ts';
import type { CommandContext } from '../session.ts';
import { type Places, placesOf } from './options.ts';
import { createReport } from './report.ts';
import { supervisorLog } from './supervisor-log.ts';

/** What is served: these plugins, and either one of them unprefixed or all of them. */
interface Chosen {
  readonly config: Config;
  readonly plugin: string | null;
  /** It is this client's alone, and nothing was said of it elsewhere. */
  readonly own?: boolean;
}

/** A plugin's name; sources have a slash, a colon, a dot in front or a blank. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export async function serveStdioCommand(invocation: ServeInvocation, context: CommandContext): Promise<number> {
  const { source, pluginArgs } = invocation;
  const { shutdown, env, terminal } = context;
  // stdout is the client's.
  const flags = { ...invocation.flags, json: false };
  const profile = flags.profile ?? null;
  shutdown.mayBeEnded();
  const places = placesOf(flags, env);
  const isNamed = source === undefined ? pluginArgs.length === 0 : NAME.test(source);
  if (isNamed) refuseFlags(source ?? null, flags as Flags);
  if (isNamed && flags.config === undefined) {
    const daemon = await findDaemon(places.home, shutdown.signal);
    if (daemon !== null && (source === undefined || daemon.state.plugins.includes(source))) {
      const { bridge } = await import('./bridge.ts');
      return bridge({ daemon, home: places.home, plugin: source ?? null, profile }, context);
    }
  }
  const report = createReport(terminal, flags);
  const { config, plugin, own = false } = await choose(invocation, places, env);
  for (const warning of config.warnings) report.note(warning);

  const [{ createSupervisor }, { createPipeEndpoints }, { serveStdio }, { findEndpoint }, { createView }] =
    await Promise.all([
      import('../../supervisor.ts'),
      import('./pipe-endpoints.ts'),
      import('../../gateway/mcp/transports/stdio.ts'),
      import('./find-endpoint.ts'),
      import('../../gateway/view.ts'),
    ]);
  const log = supervisorLog(report);
  const interactive = own ? await import('./declared.ts').then(({ declaredBy }) => declaredBy(process.stdin)) : null;
  const plugins = Object.entries(config.plugins).map(([name, options]) => [
    name,
    interactive === null ? options : { ...options, interactive },
  ]);
  const supervisor = createSupervisor({
    home: places.home,
    plugins: Object.fromEntries(plugins),
    defaults: config.defaults,
    logger: log,
    ...(flags.offline === true ? { offline: true } : {}),
  });
  report.follow(supervisor);
  shutdown.own(() => supervisor.close());
  const endpoints = createPipeEndpoints(supervisor, { log, maxToolName: config.server.maxToolName });
  const views = new Map(Object.entries(config.profiles).map(([name, part]) => [name, createView(name, part)]));
  const served = { endpoints, profile: (name: string) => views.get(name) };
  const endpoint = findEndpoint(served, { plugin, profile }, [...views.keys()]);
  await serveStdio({ endpoint, input: process.stdin, output: process.stdout, log, signal: shutdown.signal });
  endpoints.close();
  return EXIT.ok;
}

async function choose(
  { source, flags, pluginArgs }: ServeInvocation,
  { home, config: places }: Places,
  env: NodeJS.ProcessEnv,
): Promise<Chosen> {
  const { existsSync } = await import('node:fs');
  const file = places.length === 1 ? places[0] : places.find((place) => existsSync(place));
  const isName = source !== undefined && NAME.test(source);
  if ((source === undefined && pluginArgs.length === 0) || isName) {
    const { loadConfig } = await import('../../config-file/load.ts');
    const config = file === undefined ? emptyConfig : await loadConfig(file, env);
    if (source === undefined) {
      if (Object.keys(config.plugins).length > 0) return { config, plugin: null };
      const where = file ?? `${home}/config.yaml`;
      throw supervisorError('CONFIG_INVALID', {
        message: `There is nothing to serve: no source was given, and ${where} names no plugin.`,
        hint: 'Give a source (serve --stdio owner/name), or name plugins in that file.',
      });
    }
    const options = Object.hasOwn(config.plugins, source) ? config.plugins[source] : undefined;
    if (options !== undefined) return { config: { ...config, plugins: { [source]: options } }, plugin: source };
    const known = Object.keys(config.plugins);
    const places = `A folder is written ./${source}, a repository owner/${source}, a package npm:${source} or pypi:${source}.`;
    throw unknownPlugin(source, known, places);
  }
  return ofSource({ source, flags, pluginArgs }, env);
}

/** Whatever the configuration says is left alone: one source, with the options of the command line. */
async function ofSource({ source, flags, pluginArgs }: ServeInvocation, env: NodeJS.ProcessEnv): Promise<Chosen> {
  const [{ toInvocation }, { toPluginOptions }, { defaultName, parseSource }] = await Promise.all([
    import('../invocation.ts'),
    import('../options.ts'),
    import('../../source.ts'),
  ]);
  const invocation = await toInvocation('serve', source, { flags: flags as Flags, pluginArgs });
  const options: PluginOptions = await toPluginOptions(invocation, env);
  const { ref, subdir } = options;
  const name = defaultName(parseSource(invocation.source, { ref, subdir }).source);
  return { config: { ...emptyConfig, plugins: { [name]: options } }, plugin: name, own: true };
}
