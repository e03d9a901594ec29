import { SupervisorError } from '../errors.ts';
import type { LogLine, StateChange } from '../options.ts';
import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
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
  const session = await openSession(invocation, context, { defaults: { idleStop: false }, show });
  const over = untilOver(session);
  const { supervisor, name } = session;
  await supervisor.start(name, {
    startTimeout: NO_LIMIT,
    signal: context.shutdown.signal,
  });
  await over;
  return EXIT.ok;
}

/** Resolves when the plugin has ended by itself and stays so; rejects when it is parked. */
function untilOver({ supervisor, name }: Session): Promise<void> {
  const over = new Promise<void>((resolve, reject) => {
    let wasReady = false;
    supervisor.on('plugin:state', ({ state }) => {
      if (state === 'ready') wasReady = true;
      // The restart policy answers after this event.
      if (state !== 'crashed' && state !== 'absent') return;
      setImmediate(() => {
        const status = supervisor.status(name);
        if (status.subState === 'parked' && status.failure !== null) reject(new SupervisorError(status.failure, name));
        else if (wasReady && status.state === 'absent' && status.subState !== 'checking') resolve();
      });
    });
  });
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
