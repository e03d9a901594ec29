/** How a command ends: by its own result, by a signal, or by a bug; in every case what it owns is closed first. */

import { closeSync, openSync } from 'node:fs';
import { type EndingSignal, EXIT, SIGNAL_EXIT } from './exit-codes.ts';

export interface Shutdown {
  /** Aborted as soon as the command must end, before anything is closed. */
  readonly signal: AbortSignal;
  /** What must be closed before the program may end. A second signal calls it again: then it has to hurry. */
  own(close: () => Promise<void>): void;
  /** From now on a signal is how it is meant to end: exit code 0, and nothing is said. */
  mayBeEnded(): void;
  /** From now on SIGHUP is a word to this command, unless it is the terminal that went away. */
  onHangup(listener: () => void): void;
}

/** What the guarded command says to people. */
export interface Reports {
  /** Prints the error; returns the exit code. */
  failed(error: unknown): Promise<number>;
  interrupted(signal: EndingSignal): Promise<void>;
}

type Process = Pick<NodeJS.Process, 'on' | 'off' | 'exit' | 'stdout' | 'stderr'>;
type Outcome = { readonly code: number } | { readonly error: unknown } | { readonly signal: EndingSignal };

/**
 * Runs one command and resolves with its exit code when everything that it owns is closed. Signals, uncaught exceptions
 * and a closed stdout end it early; a second signal hurries the closing, a third one leaves at once.
 */
export async function runGuarded(
  process: Process,
  work: (shutdown: Shutdown) => Promise<number>,
  reports: Reports,
): Promise<number> {
  const controller = new AbortController();
  const owned: (() => Promise<void>)[] = [];
  const hurry = () => {
    for (const close of owned) close().catch(() => {});
  };
  let finish: (outcome: Outcome) => void = () => {};
  const early = new Promise<Outcome>((resolve) => {
    finish = resolve;
  });
  const end = (outcome: Outcome) => {
    finish(outcome);
    controller.abort();
  };

  let signals = 0;
  let code: number = EXIT.ok;
  let isMeant = false;
  let hangup: (() => void) | null = null;
  const onSignal = (signal: EndingSignal) => {
    if (signal === 'SIGHUP' && hangup !== null && !controller.signal.aborted && !isOrphaned(process)) return hangup();
    signals++;
    code = isMeant ? EXIT.ok : SIGNAL_EXIT[signal];
    if (signals > 2) process.exit(code);
    if (controller.signal.aborted) hurry();
    else end({ signal });
  };
  const onBug = (error: unknown) => {
    if (controller.signal.aborted) hurry();
    else end({ error });
  };
  // A reader that has enough (`| head`) ends the command quietly; a full disk does not.
  const onStdoutError = (error: NodeJS.ErrnoException) => end(error.code === 'EPIPE' ? { code: EXIT.ok } : { error });
  const ignore = () => {};

  const names = Object.keys(SIGNAL_EXIT) as EndingSignal[];
  for (const name of names) process.on(name, onSignal);
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  process.stdout.on('error', onStdoutError);
  process.stderr.on('error', ignore);

  try {
    const own = (close: () => Promise<void>) => void owned.push(close);
    const shutdown: Shutdown = {
      signal: controller.signal,
      own,
      mayBeEnded() {
        isMeant = true;
      },
      onHangup(listener) {
        hangup = listener;
      },
    };
    const finished = work(shutdown).then(
      (exitCode): Outcome => ({ code: exitCode }),
      (error: unknown): Outcome => ({ error }),
    );
    const outcome = await Promise.race([early, finished]);
    controller.abort();
    if ('signal' in outcome) {
      if (!isMeant) await reports.interrupted(outcome.signal);
    } else if ('code' in outcome) code = outcome.code;
    else code = await reports.failed(outcome.error);

    for (const result of await Promise.allSettled(owned.map((close) => close()))) {
      if (result.status === 'fulfilled') continue;
      const failed = await reports.failed(result.reason);
      if (code === EXIT.ok) code = failed;
    }
    return code;
  } finally {
    for (const name of names) process.off(name, onSignal);
    process.off('uncaughtException', onBug);
    process.off('unhandledRejection', onBug);
    process.stdout.off('error', onStdoutError);
    process.stderr.off('error', ignore);
  }
}

/** Its terminal was closed: whoever began in one has none any more. */
function isOrphaned({ stdout, stderr }: Process): boolean {
  if (stdout.isTTY !== true && stderr.isTTY !== true) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
