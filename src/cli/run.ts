import { timerDelay } from '../../machines/policy.ts';
import { SupervisorError } from '../errors.ts';
import type { LogLine, StateChange } from '../options.ts';
import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import { findNamed, invocationOf } from './named.ts';
import type { Invocation } from './options.ts';
import { createLinesProgress, type Progress } from './progress.ts';
import { type CommandContext, NO_LIMIT, openSession, type Session, type ShowProgress } from './session.ts';
import type { Output } from './terminal.ts';

/** Runs the plugin in the foreground until Ctrl-C, until it ends by itself, or until no restart helps any more. */
export async function run(invocation: Invocation, context: CommandContext): Promise<number> {
  const { flags } = invocation;
  const { stdout } = context.terminal;
  const streams = new Set<LogLine['stream']>(
    flags.verbose === true ? ['clone', 'install', 'stdout', 'stderr'] : ['stdout', 'stderr'],
  );
  const show: ShowProgress = (parts) =>
    flags.json === true ? createJsonLines(stdout, parts.status) : createLinesProgress({ ...parts, streams });
  const named =
    invocation.pluginArgs.length === 0 ? await findNamed(invocation.source, flags, context, { alone: true }) : null;
  const own = named?.kind === 'configured' ? invocationOf(named, invocation) : invocation;
  const session = await openSession(own, context, { defaults: { idleStop: false }, show });
  const over = untilOver(session, context.shutdown.signal);
  const { supervisor, name } = session;
  await supervisor.start(name, {
    startTimeout: NO_LIMIT,
    signal: context.shutdown.signal,
  });
  await over;
  return EXIT.ok;
}

/**
 * Resolves when the plugin has ended by itself and stays so; rejects when it is parked: at once where it was never ready or
 * no further start can help. One that had been in service gets its trial starts, as a call would bring them.
 */
function untilOver({ supervisor, name }: Session, signal: AbortSignal): Promise<void> {
  const over = new Promise<void>((resolve, reject) => {
    let wasReady = false;
    supervisor.on('plugin:state', ({ state }) => {
      if (state === 'ready') wasReady = true;
      // The restart policy answers after this event.
      if (state !== 'crashed' && state !== 'absent') return;
      setImmediate(() => {
        const status = supervisor.status(name);
        if (status.subState === 'parked' && wasReady && status.retryAt !== null) tryAgain(status.retryAt);
        else if (status.subState === 'parked' && status.failure !== null)
          reject(new SupervisorError(status.failure, name));
        else if (wasReady && status.state === 'absent' && status.subState !== 'checking') resolve();
      });
    });
  });
  const tryAgain = (at: string) => {
    const delay = timerDelay(Date.parse(at) - Date.now() + 1_000);
    const timer = setTimeout(() => supervisor.tools(name, { startTimeout: NO_LIMIT, signal }).catch(() => {}), delay);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  // Nobody may be listening yet, or any more: `start` tells of a first failure by itself.
  over.catch(() => {});
  return over;
}

/** One JSON object per line on stdout. */
function createJsonLines(stdout: Output, status: () => unknown): Progress {
  const write = (value: object) => void stdout.write(`${toJson(value)}\n`);
  return {
    state: (change: StateChange) =>
      write({ event: 'state', ...change, ...(change.state === 'ready' ? { status: status() } : {}) }),
    log: (line) => write({ event: 'log', ...line }),
    activity() {},
    end() {},
  };
}
