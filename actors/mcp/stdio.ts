import { createFailure } from '../../machines/failure.ts';
import type { JsonRpcMessage, Limits, ProcessHandle } from '../context.ts';
import { createLineReader } from './framing.ts';
import { idOfOversized, isBatch, parseMessages } from './json-rpc.ts';
import { type SessionError, sessionError } from './session-error.ts';
import type { Wire, WireEvents } from './wire.ts';

/** Bytes that wait for a program that is slow to read; more is refused, or its callers would fill our memory. */
const MAX_BACKLOG = 64 * 1024 * 1024;

export interface StdioOptions {
  readonly process: ProcessHandle;
  readonly limits: Limits;
  /** Every line of stdout that is no JSON-RPC message, as long as the process lives (also after `close`). */
  readonly noise: (line: string) => void;
  /** Called when stdout is closed. */
  readonly ended: () => void;
}

/** Milliseconds in which a program that takes no more input may end: then its exit is the better reason. */
const EXIT_GRACE = 200;

/** JSON-RPC, one message per line, over a process' pipes. Never closes them: the process actor owns stdin. */
export function createStdioWire({ process, limits, noise, ended }: StdioOptions, events: WireEvents): Wire {
  let open = true;

  const read = createLineReader(limits.maxResult, {
    line(text) {
      const message = open ? parseMessages(text) : null;
      if (message === null) noise(text);
      else if (isBatch(message)) for (const one of message) deliver(one);
      else deliver(message);
    },
    oversized(line) {
      const id = open ? idOfOversized(line) : null;
      if (id === null) noise(`[a line of ${line.bytes} bytes was dropped: the limit is ${limits.maxResult}]`);
      else events.failed(id, resultTooLarge(line.bytes, limits.maxResult));
    },
  });

  const deliver = (message: JsonRpcMessage) => {
    if (open) events.message(message);
  };

  process.readStdout(read, ended);

  /** A program that can't be told anything is of no use, even if it runs. */
  const lostSoon = (error: SessionError): SessionError => {
    const { generation } = process;
    const { message } = error.failure;
    const failure = createFailure('RUN_DISCONNECTED', { message, generation, stderrTail: process.stderrTail() });
    setTimeout(() => open && events.lost(failure), EXIT_GRACE).unref();
    return error;
  };

  return {
    transport: 'stdio',
    url: null,
    send(message, text) {
      // A UTF-16 unit is at most 3 bytes of UTF-8, so most messages need no count.
      if (text.length * 3 >= limits.maxMessage) {
        const bytes = Buffer.byteLength(text) + 1;
        if (bytes > limits.maxMessage) return requestTooLarge(bytes, limits.maxMessage);
      }
      if (process.writeBacklog() > MAX_BACKLOG) return inputFull(process.writeBacklog());
      const { id } = message;
      const failed = id === undefined ? undefined : () => events.failed(id, lostSoon(inputClosed()));
      return process.write(`${text}\n`, failed) ? null : lostSoon(inputClosed());
    },
    abandon: () => false,
    delivered: () => Promise.resolve(),
    opened: () => {},
    close() {
      open = false;
    },
  };
}

export const resultTooLarge = (bytes: number, limit: number): SessionError =>
  sessionError('CALL_RESULT_TOO_LARGE', 'answered', {
    message: `The answer has ${bytes} bytes or more; the limit is ${limit}.`,
    data: { bytes, limit },
  });

const requestTooLarge = (bytes: number, limit: number): SessionError =>
  sessionError('CALL_TOO_LARGE', 'not-sent', {
    message: `The request has ${bytes} bytes; a stdio server is sent at most ${limit} (maxMessage). Nothing was sent.`,
    data: { bytes, limit },
  });

/** Many large calls at once are no reason to end a program that reads; one that never reads fails its health checks. */
const inputFull = (bytes: number): SessionError =>
  sessionError('CALL_QUEUE_FULL', 'not-sent', {
    message: `The program has not read ${bytes} bytes of earlier messages yet; nothing more was sent.`,
    hint: 'Try again later; if it never reads them, restart the plugin.',
    data: { bytes, limit: MAX_BACKLOG },
  });

const inputClosed = (): SessionError =>
  sessionError('CALL_INTERRUPTED', 'not-sent', {
    message: 'The program has closed its standard input; nothing was sent.',
    hint: 'The call had no effect; try again.',
  });
