import { setTimeout as delay } from 'node:timers/promises';
import { homeOf } from '../../home.ts';
import { findDaemon, needDaemon, noDaemon } from '../daemon/client.ts';
import type { DaemonState } from '../daemon/contracts.ts';
import { EXIT } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { errorAsText } from '../render-error.ts';
import type { CommandContext } from '../session.ts';
import type { Output } from '../terminal.ts';
import type { ServeFlags } from './options.ts';

/** How the daemon is; HOME_NO_DAEMON when there is none. */
export async function daemonStatus(flags: ServeFlags, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const { stdout } = terminal;
  const { state } = await needDaemon(homeOf({ home: flags.home, env }), shutdown.signal);
  await stdout.write(flags.json === true ? `${toJson(state, stdout.isTerminal)}\n` : stateAsText(state, stdout));
  return EXIT.ok;
}

/** Resolves when nothing of it is left. None running is a success: that is what was asked for. */
export async function stopDaemon(flags: ServeFlags, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const home = homeOf({ home: flags.home, env });
  const daemon = await findDaemon(home, shutdown.signal);
  if (daemon === null) {
    if (flags.json === true) await terminal.stdout.write(`${toJson({ stopped: null })}\n`);
    else await terminal.stderr.write(errorAsText(noDaemon(home), terminal.stderr));
    return EXIT.ok;
  }
  const { pid } = daemon.state;
  await daemon.request('POST', '/daemon/stop');
  // Its socket goes last, and with it the answer to whoever asks.
  while (!shutdown.signal.aborted && isAlive(pid)) await delay(LOOK);
  if (flags.json === true) await terminal.stdout.write(`${toJson({ stopped: pid })}\n`);
  else await terminal.stderr.write(`stopped (process ${pid})\n`);
  return EXIT.ok;
}

/** Milliseconds. */
const LOOK = 30;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function stateAsText(state: DaemonState, { style }: Output): string {
  const row = (name: string, text: string) => `  ${style.dim(name.padEnd(9))}${text}\n`;
  const { urls, pid, since, version, socket, config, problem, plugins } = state;
  return [
    `${style.green('●')} ${style.bold('mcp-supervisor')} ${version} runs since ${since} as process ${pid}\n`,
    ...urls.map((url) => row('URL', style.cyan(url))),
    row('socket', socket),
    row('config', config ?? 'none'),
    ...(problem === null ? [] : [row('problem', style.red(problem))]),
    row('plugins', plugins.length === 0 ? 'none' : plugins.join(', ')),
  ].join('');
}
