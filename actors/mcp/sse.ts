import { createFailure } from '../../machines/failure.ts';
import type { Limits } from '../context.ts';
import { createEventStreamReader } from './event-stream.ts';
import { type HttpClient, headerOf } from './http-client.ts';
import { createHttpErrors } from './http-error.ts';
import { idOfOversized, isBatch, parseMessages } from './json-rpc.ts';
import { watchReachability } from './reachability.ts';
import { type SessionError, sessionError } from './session-error.ts';
import { resultTooLarge } from './stdio.ts';
import type { Wire, WireEvents } from './wire.ts';

export interface SseWireOptions {
  /** Owned by the wire from now on. */
  readonly client: HttpClient;
  /** Path of the event stream, e.g. `/sse`. */
  readonly path: string;
  readonly limits: Limits;
  /** Takes secrets out of what errors quote. */
  readonly redact: (text: string) => string;
}

const ERROR_BODY = 64 * 1024;
const EXIT_GRACE = 100;

/**
 * The older HTTP+SSE transport (MCP 2024-11-05): one GET stream brings every message, and its first event names the
 * path to POST to. Messages sent before that wait for it.
 */
export function createSseWire({ client, path, limits, redact }: SseWireOptions, events: WireEvents): Wire {
  const httpError = createHttpErrors(redact);
  const reachability = watchReachability(client, events.lost);
  let endpoint: string | null = null;
  let waiting: (() => void)[] = [];
  let notifications: Promise<void> = Promise.resolve();
  let closed = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let status = 0;

  const lost = (message: string, more: Readonly<Record<string, string>> = {}) => {
    if (!closed) events.lost(createFailure('RUN_DISCONNECTED', { message, data: { status, ...more } }));
  };

  /** When the program itself has ended, that is the better reason, and it is known a moment later. */
  const lostSoon = (message: string) => void setTimeout(() => lost(message), status === 200 ? EXIT_GRACE : 0).unref();

  const takeEndpoint = (data: string) => {
    const base = `${client.target.origin}${path}`;
    if (!URL.canParse(data, base)) return lost('The event stream names an endpoint that is no address.');
    const url = new URL(data, base);
    // A server that sends its clients elsewhere would be sent our calls.
    if (url.origin !== new URL(client.target.origin).origin) {
      return lost(`The event stream names an endpoint on another origin: ${url.origin}`);
    }
    endpoint = url.pathname + url.search;
    for (const go of waiting) go();
    waiting = [];
  };

  const deliver = (text: string) => {
    const message = parseMessages(text);
    if (message === null) return;
    if (isBatch(message)) for (const one of message) events.message(one);
    else events.message(message);
  };

  const reader = createEventStreamReader(limits.maxResult, {
    event(type, data) {
      if (type === 'endpoint') takeEndpoint(data);
      else deliver(data);
    },
    oversized(line) {
      const id = idOfOversized(line);
      if (id !== null) events.failed(id, resultTooLarge(line.bytes, limits.maxResult));
    },
  });

  const endStream = client.send(
    { method: 'GET', path, headers: { accept: 'text/event-stream' } },
    {
      head(code, headers) {
        status = code;
        const type = headerOf(headers, 'content-type');
        if (code !== 200 || !type.startsWith('text/event-stream')) {
          const told = httpError(code, headers, '').failure.data as { location?: string; challenge?: string };
          const { location, challenge } = told;
          lost(`No event stream there (HTTP ${code}).`, {
            ...(location && { location }),
            ...(challenge && { challenge }),
          });
        }
      },
      data: (chunk) => reader.push(chunk),
      end: () => lostSoon('The server ended the event stream.'),
      error: (error) => lostSoon(`The event stream broke: ${error.message}`),
    },
  );

  const post = (text: string, failed: (error: SessionError) => void, done: () => void) => {
    const body: Buffer[] = [];
    let code = 0;
    let size = 0;
    const go = () =>
      client.send(
        { method: 'POST', path: endpoint ?? path, headers: { 'content-type': 'application/json' }, body: text },
        {
          head: (answered) => {
            code = answered;
          },
          data(chunk) {
            size += chunk.length;
            if (size <= ERROR_BODY) body.push(chunk);
          },
          end() {
            if (code >= 300) failed(httpError(code, {}, Buffer.concat(body).toString()));
            done();
          },
          error(error, sent) {
            reachability.suspect(error);
            const fate = sent ? 'sent-unknown' : 'not-sent';
            failed(sessionError('CALL_INTERRUPTED', fate, { message: `The connection broke: ${error.message}` }));
            done();
          },
        },
      );
    if (endpoint === null) waiting.push(go);
    else go();
  };

  return {
    transport: 'sse',
    url:
      client.target.socketPath === null
        ? redact(client.target.origin + path)
        : `unix:${client.target.socketPath}:${path}`,
    send(message, text) {
      const { id } = message;
      if (id !== undefined && message.method !== undefined) {
        post(
          text,
          (error) => events.failed(id, error),
          () => {},
        );
      } else {
        const taken = new Promise<void>((resolve) => post(text, () => {}, resolve));
        notifications = notifications.then(() => taken);
      }
      return null;
    },
    abandon: () => false,
    // What waits for an endpoint that is never named is delivered to nobody.
    delivered: () => Promise.race([notifications, ended]),
    opened: () => {},
    close() {
      closed = true;
      end();
      reachability.stop();
      endStream();
      client.close();
    },
  };
}
