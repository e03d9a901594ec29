import type { ServerResponse } from 'node:http';

/** One connection that carries server-sent events. */
export interface EventStream {
  /** False when the connection is gone, or was cut because its reader is too slow. */
  send(text: string, id?: string): boolean;
  /** An event that only names an id, from which the stream can be taken up again. */
  prime(id: string, retry: number): void;
  /** Another kind of event than a message. */
  event(name: string, data: string): void;
  end(): void;
}

/** Makes event streams and keeps them alive. */
export interface EventStreams {
  open(response: ServerResponse, headers?: Readonly<Record<string, string>> | undefined): EventStream;
  close(): void;
}

export interface EventStreamOptions {
  /** Milliseconds between comments that keep a quiet connection open. */
  readonly keepAlive: number;
  /** Bytes that a client may leave unread before it is cut off. */
  readonly maxUnread: number;
}

export function createEventStreams({ keepAlive, maxUnread }: EventStreamOptions): EventStreams {
  const alive = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | null = null;

  const beat = () => {
    for (const response of alive) write(response, ':\n\n');
  };
  const write = (response: ServerResponse, text: string): boolean => {
    if (response.destroyed || response.writableEnded) return false;
    // Measured before writing: one long answer to a client that reads is not too much.
    if (response.writableLength > maxUnread) {
      response.destroy();
      return false;
    }
    response.write(text);
    return true;
  };
  const forget = (response: ServerResponse) => {
    alive.delete(response);
    if (alive.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };

  return {
    open: (response, headers) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        ...headers,
      });
      response.flushHeaders();
      alive.add(response);
      response.once('close', () => forget(response));
      timer ??= setInterval(beat, keepAlive).unref();
      return {
        send: (text, id) =>
          write(response, `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`),
        prime: (id, retry) => {
          write(response, `id: ${id}\nretry: ${retry}\ndata: \n\n`);
        },
        event: (name, data) => {
          write(response, `event: ${name}\ndata: ${data}\n\n`);
        },
        end: () => {
          forget(response);
          response.end();
        },
      };
    },
    close: () => {
      for (const response of [...alive]) {
        forget(response);
        response.end();
      }
    },
  };
}
