import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ProcessHandle } from '../context.ts';

/** Milliseconds in which answers written just before the exit may still come out of a pipe or socket. */
const LAST_WORDS = 50;
/** Milliseconds that a program may live on without its stdout before the session is given up. */
const SILENCE = 500;

/** Ends a session when its process is gone, or (stdio) when its stdout is closed for good. */
export function followProcess(
  session: { lost(failure: Failure): void },
  process: ProcessHandle,
  stdoutEnded: Promise<void> | null,
): void {
  const { generation, remote } = process;
  if (remote !== undefined) {
    void remote.ended.then(() =>
      session.lost(createFailure('RUN_DISCONNECTED', { message: 'It was stopped.', generation })),
    );
    return;
  }
  void process.exited.then(async (exit) => {
    await Promise.race([stdoutEnded ?? delay(LAST_WORDS), delay(LAST_WORDS)]);
    const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
    const message = `The program ended ${how}.`;
    session.lost(createFailure('RUN_EXITED', { message, generation, exit, stderrTail: process.stderrTail() }));
  });
  void stdoutEnded?.then(async () => {
    await delay(SILENCE);
    const message = 'The program runs, but it closed its standard output.';
    session.lost(createFailure('RUN_DISCONNECTED', { message, generation, stderrTail: process.stderrTail() }));
  });
}

const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
