import type { Dispatcher } from 'undici';
import type { HttpDispatcher, Remote } from '../context.ts';

/** Where an HTTP plugin listens. */
export interface HttpTarget {
  /** e.g. `http://127.0.0.1:3000`; only names the host when `socketPath` is set. */
  readonly origin: string;
  readonly socketPath: string | null;
}

export interface HttpRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Hears of one exchange: `head`, `data`…, then `end` or `error`; `error` alone when there was no answer. */
export interface HttpSink {
  head(status: number, headers: HttpHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  /** `sent` is false when provably no byte of the request left. */
  error(error: HttpError, sent: boolean): void;
}

export type HttpError = Error & { readonly code?: string };

export interface HttpClient {
  readonly target: HttpTarget;
  /** How the server is reached that runs elsewhere; absent for every other. */
  readonly remote?: Remote;
  /** Starts an exchange; the returned function ends it, after which the sink hears nothing more. */
  send(request: HttpRequest, sink: HttpSink): () => void;
  /** Ends every exchange and connection. */
  close(): void;
}

/** Milliseconds for a TCP connection on loopback; a full backlog answers never. */
const CONNECT_TIMEOUT = 5000;

/**
 * HTTP/1.1 to one origin on undici's dispatcher: chunks are pushed to the sink and an exchange can be ended without an
 * AbortController of its own. No timeouts here: the session's calls have theirs.
 */
export async function createHttpClient(target: HttpTarget, remote?: Remote): Promise<HttpClient> {
  const pool = remote === undefined ? await createPool(target) : await remote.connect();
  const headers = remote?.headers;
  return {
    target,
    ...(remote !== undefined && { remote }),
    send(request, sink) {
      const exchange = new Exchange(sink);
      pool.dispatch(
        {
          origin: target.origin,
          method: request.method as Dispatcher.HttpMethod,
          path: request.path,
          headers: headers === undefined ? request.headers : { ...headers, ...request.headers },
          body: request.body ?? null,
        },
        exchange,
      );
      return () => exchange.abort();
    },
    close() {
      // In flight and idle alike; the rejection is about exchanges whose sinks hear of it anyway.
      pool.destroy().catch(() => {});
    },
  };
}

async function createPool(target: HttpTarget): Promise<HttpDispatcher> {
  const { Pool } = await import('undici');
  return new Pool(target.origin, {
    ...(target.socketPath !== null && { socketPath: target.socketPath }),
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: CONNECT_TIMEOUT,
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #sink: HttpSink;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;

  constructor(sink: HttpSink) {
    this.#sink = sink;
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('abandoned'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('abandoned'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: HttpHeaders): void {
    if (!this.#over && status >= 200) this.#sink.head(status, headers);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#sink.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.end();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.error(error, this.#controller !== null);
  }
}

export const headerOf = (headers: HttpHeaders, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
};

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Buffer;
}

/** One whole exchange; resolves with null when nothing answered within `timeout` ms or the signal was aborted. */
export function exchange(
  client: HttpClient,
  request: HttpRequest,
  { timeout, maxBody, signal }: { timeout: number; maxBody: number; signal: AbortSignal },
): Promise<HttpAnswer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    let headers: HttpHeaders = {};
    let abort = () => {};
    const finish = (answer: HttpAnswer | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      abort();
      resolve(answer);
    };
    const answer = () => finish({ status, headers, body: Buffer.concat(chunks) });
    const giveUp = () => (status === 0 ? finish(null) : answer());
    const timer = setTimeout(giveUp, timeout);
    signal.addEventListener('abort', giveUp);
    abort = client.send(request, {
      head(code, fields) {
        status = code;
        headers = fields;
        // A stream of events has no end to wait for.
        if (headerOf(fields, 'content-type').startsWith('text/event-stream')) answer();
      },
      data(chunk) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBody) answer();
      },
      end: answer,
      error: () => giveUp(),
    });
  });
}
