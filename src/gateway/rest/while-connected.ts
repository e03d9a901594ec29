import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Aborted when the caller hangs up before it has its answer. */
export function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  else response.once('close', () => response.writableFinished || controller.abort());
  return controller.signal;
}

const HUNG_UP = Symbol('hung up');
type Line = Socket & { [HUNG_UP]?: AbortController };

/**
 * As `signalOf`, for calls: one signal for a whole connection, which carries one request after the other, costs a call next to
 * nothing. Whoever listens to it must stop listening when it is done.
 */
export function lineSignalOf(response: ServerResponse): AbortSignal {
  const { socket, httpVersionMajor } = response.req;
  // There many requests share a connection; and a test's own request has none.
  if (httpVersionMajor > 1 || !(socket instanceof Socket)) return signalOf(response);
  const line = socket as Line;
  let controller = line[HUNG_UP];
  if (controller === undefined) {
    const made = new AbortController();
    controller = made;
    line[HUNG_UP] = made;
    if (line.destroyed) made.abort();
    else line.once('close', () => made.abort());
  }
  return controller.signal;
}
