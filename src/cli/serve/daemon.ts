/** The daemon of a home: one supervisor, one gateway, two doors. */

import { FailureError } from '../../../actors/failure-error.ts';
import { createStore } from '../../../actors/store/create-store.ts';
import { aborted } from '../../aborted.ts';
import type { Config } from '../../config-file/contracts.ts';
import { SupervisorError } from '../../errors.ts';
import type { Gateway } from '../../gateway/contracts.ts';
import type { Supervisor } from '../../options.ts';
import type { DaemonState } from '../daemon/contracts.ts';
import { createFace } from '../daemon/face.ts';
import { makeSocketPath } from '../daemon/socket-path.ts';
import { EXIT } from '../exit-codes.ts';
import { asSupervisorError } from '../render-error.ts';
import type { CommandContext } from '../session.ts';
import { packageVersion } from '../version.ts';
import { carryUpgrades } from './carry-upgrades.ts';
import { type Configuration, createConfiguration } from './configuration.ts';
import type { Door } from './listen-on-socket.ts';
import {
  DEFAULT_HOST,
  DEFAULT_PORT,
  gatewayOptionsOf,
  isLoopback,
  placesOf,
  type ServeFlags,
  serverOf,
} from './options.ts';
import { reachableAt } from './reachable-at.ts';
import { createReport, type Started } from './report.ts';
import { supervisorLog } from './supervisor-log.ts';

/** Tells a parent that waits (`--detach`) what kept it from starting. */
export async function runDaemon(flags: ServeFlags, context: CommandContext): Promise<number> {
  try {
    return await run(flags, context);
  } catch (error) {
    if (process.connected) {
      process.send?.({ failed: asSupervisorError(error).toJSON() });
      process.disconnect();
    }
    throw error;
  }
}

/** Runs until a signal or `serve --stop` ends it; resolves with the exit code when nothing of it is left. */
async function run(flags: ServeFlags, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const { home, config: places } = placesOf(flags, env);
  const report = createReport(terminal, flags);
  const log = supervisorLog(report);
  const version = packageVersion();
  const store = createStore({ home });
  const claim = await store.claimDaemon({ version }).catch((error: unknown) => {
    throw error instanceof FailureError ? new SupervisorError(error.failure) : error;
  });
  const running: Running = { doors: [] };
  let closing: Promise<void> | null = null;
  shutdown.own(() => {
    // Asked again: every plugin is ended by force.
    if (closing !== null) void running.supervisor?.close();
    closing ??= closeAll(running).finally(() => claim.release());
    return closing;
  });

  let applied: (config: Config) => Promise<void> = async () => {};
  const configuration = await createConfiguration({
    places,
    required: places.length === 1,
    env,
    apply: (config) => applied(config),
    problem(error) {
      if (error === null) report.note('the configuration is good again');
      else {
        report.problem(error);
        report.note('the last good configuration counts');
      }
    },
  });
  running.configuration = configuration;
  const config = configuration.current();
  for (const warning of config.warnings) report.note(warning);

  const server = serverOf(config, flags);
  const { host = DEFAULT_HOST, port = DEFAULT_PORT } = server;
  let own = await ownToken(home, host, server);
  const gatewayOptions = (of: Config) => {
    const options = { ...gatewayOptionsOf(of, serverOf(of, flags)), logger: log };
    return own === null || (options.tokens ?? []).length > 0 ? options : { ...options, tokens: [{ token: own.token }] };
  };

  const [{ createSupervisor }, { createGateway }, { serveHttp }, { listenOnSocket }] = await Promise.all([
    import('../../supervisor.ts'),
    import('../../gateway/gateway.ts'),
    import('../../gateway/http/serve-http.ts'),
    import('./listen-on-socket.ts'),
  ]);
  const supervisor = createSupervisor({
    home,
    plugins: config.plugins,
    defaults: config.defaults,
    logger: log,
    ...(flags.offline === true ? { offline: true } : {}),
  });
  running.supervisor = supervisor;
  report.follow(supervisor);
  const gateway = createGateway(supervisor, gatewayOptions(config));
  running.gateway = gateway;

  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const socket = await makeSocketPath(home, env);
  const urls: string[] = [];
  const state = (): DaemonState => ({
    pid: process.pid,
    since: claim.holder.since,
    version,
    home,
    urls,
    socket,
    config: configuration.current().file,
    problem: configuration.problem()?.message ?? null,
    plugins: supervisor.list(),
  });
  const face = createFace({
    supervisor,
    state,
    stop,
    reload: () => configuration.reload(),
    gateway: gateway.handle,
  });
  const inner = await listenOnSocket(socket, face);
  running.doors.push(inner);
  carryUpgrades(inner.server, { gateway, config: configuration.current, report });
  const outer = await serveHttp(gateway, { host, port });
  running.doors.push(outer);
  urls.push(...reachableAt(outer.url));

  applied = async (next) => {
    if (own === null) {
      // `auth: always` from now on, or no tokens in the file any more: without one nobody would get in.
      own = await ownToken(home, host, serverOf(next, flags));
      if (own !== null) report.note(`a token is asked for from now on; it is kept in ${own.path}`);
    }
    await gateway.update(gatewayOptions(next));
    const changes = await supervisor.configure(next.plugins, next.defaults);
    for (const warning of next.warnings) report.note(warning);
    const said = (['added', 'restarted', 'updated', 'removed'] as const).flatMap((kind) =>
      changes[kind].length === 0 ? [] : [`${kind} ${changes[kind].join(', ')}`],
    );
    report.note(`configuration read: ${said.join(' · ') || 'no plugin changed'}`, { changes });
    const asked = serverOf(next, flags);
    if ((asked.host ?? DEFAULT_HOST) !== host || (asked.port ?? DEFAULT_PORT) !== port) {
      report.note('host and port count from the next start of `serve`');
    }
  };
  shutdown.mayBeEnded();
  shutdown.onHangup(() => {
    report.note('SIGHUP: reading the configuration');
    void configuration.reload();
  });

  const started: Started = {
    ...{ version, urls, socket, home, config: config.file, plugins: supervisor.list() },
    token: own?.created === true ? own.token : null,
    tokenFile: own?.path ?? null,
  };
  // A parent that waits for us tells its own terminal; the log file never has the token.
  if (process.send !== undefined) {
    process.send({ started });
    process.disconnect();
    await report.started({ ...started, token: null });
  } else await report.started(started);

  await Promise.race([stopped, aborted(shutdown.signal)]);
  report.note('stopping');
  return EXIT.ok;
}

interface Running {
  readonly doors: Door[];
  configuration?: Configuration;
  supervisor?: Supervisor;
  gateway?: Gateway;
}

/** No new callers first; those who are in are told how it ended before their connections are. */
async function closeAll({ doors, configuration, supervisor, gateway }: Running): Promise<void> {
  configuration?.close();
  for (const { server } of doors) server.close();
  await gateway?.close();
  await supervisor?.close();
  await Promise.all(doors.map((door) => door.close()));
}

/** Where others can reach the port a token is needed, and made when none is configured. */
async function ownToken(home: string, host: string, { tokens = [], auth }: ReturnType<typeof serverOf>) {
  if (tokens.length > 0 || (isLoopback(host) && auth !== 'always')) return null;
  const { loadOrCreateToken } = await import('../../gateway/http/token-file.ts');
  return loadOrCreateToken(home);
}
