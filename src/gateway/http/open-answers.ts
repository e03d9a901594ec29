import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface OpenAnswers<Entry> {
  add(entry: Entry): void;
  /** Those that are open now. */
  all(): readonly Entry[];
}

/**
 * Answers that are not over, by connection, so that each one has an end: of those that wait behind another one Node says nothing
 * when their connection closes, and whatever listens to `close` (streams, sessions, counters) would stay for ever.
 */
export function createOpenAnswers<Entry extends { readonly response: ServerResponse }>(
  ended: (entry: Entry) => void,
): OpenAnswers<Entry> {
  const lines = new Map<Socket, Set<Entry>>();

  function lineOf(socket: Socket): Set<Entry> {
    const known = lines.get(socket);
    if (known !== undefined) return known;
    const line = new Set<Entry>();
    lines.set(socket, line);
    const over = () => {
      lines.delete(socket);
      // Behind Node's own word to the one that was being sent.
      setImmediate(() => {
        for (const { response } of [...line]) {
          response.destroy();
          response.emit('close');
        }
      });
    };
    if (socket.destroyed) over();
    else socket.once('close', over);
    return line;
  }

  return {
    add(entry) {
      const { response } = entry;
      const line = lineOf(response.req.socket);
      line.add(entry);
      response.once('close', () => {
        if (line.delete(entry)) ended(entry);
      });
    },
    all: () => [...lines.values()].flatMap((line) => [...line]),
  };
}
