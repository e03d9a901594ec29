import { createFailure } from '../../machines/failure.ts';
import type { JsonRpcId, JsonRpcMessage, Limits, ToolDescription } from '../context.ts';
import type { Negotiated } from './era.ts';
import { createEventStreamReader, type EventStreamReader } from './event-stream.ts';
import { type HttpClient, type HttpHeaders, type HttpSink, headerOf } from './http-client.ts';
import { createHttpErrors, snippet } from './http-error.ts';
import { idOfOversized, isBatch, parseMessages } from './json-rpc.ts';
import { VERSION_KEY } from './meta.ts';
import { modernHeaders } from './modern-headers.ts';
import { watchReachability } from './reachability.ts';
import { sessionError } from './session-error.ts';
import { resultTooLarge } from './stdio.ts';
import type { OutgoingMessage, Wire, WireEvents } from './wire.ts';

export interface HttpWireOptions {
  /** Owned by the wire from now on. */
  readonly client: HttpClient;
  /** Path with query of the MCP endpoint. */
  readonly path: string;
  readonly limits: Limits;
  readonly tool: (name: string) => ToolDescription | undefined;
  /** Takes secrets out of what errors quote. */
  readonly redact: (text: string) => string;
  /** The server may ask us on the GET stream; asked before that is open, it asks nobody. Default false. */
  readonly interactive?: boolean;
}

/** How often a broken-off answer is asked for again (`Last-Event-ID`) without a new event. */
const MAX_RESUMES = 5;
/** Milliseconds before a stream is opened again when the server names none; doubles up to the second one. */
const RETRY_DELAY = 1000;
const MAX_RETRY_DELAY = 30_000;
const MIN_RETRY_DELAY = 10;
const ERROR_BODY = 64 * 1024;
/**
 * Milliseconds that a start waits for the answer to the GET stream: most servers give it at once, some with their first
 * event. Longer where they may ask us something there.
 */
const LISTENING = 500;
const LISTENING_INTERACTIVE = 2000;
/** Milliseconds that the goodbye (DELETE) may take before the connections are cut. */
const GOODBYE = 1000;

/**
 * Streamable HTTP: every message is a POST, answered with one JSON object or a stream of events. In the legacy era there
 * is a session id, a GET stream for what nobody asked for, and broken streams are resumed.
 */
export function createHttpWire(
  { client, path, limits, redact, tool, interactive = false }: HttpWireOptions,
  events: WireEvents,
): Wire {
  const exchanges = new Map<JsonRpcId, () => void>();
  const httpError = createHttpErrors(redact);
  const timers = new Set<NodeJS.Timeout>();
  const reachability = watchReachability(client, events.lost);
  let negotiated: Negotiated | null = null;
  let sessionId = '';
  let closed = false;
  let notifications: Promise<void> = Promise.resolve();
  let endListener = () => {};
  /** The GET stream was answered, with whatever. */
  let tellListening = () => {};
  let listening: Promise<void> = Promise.resolve();

  const headersFor = (message: JsonRpcMessage | null): Record<string, string> => ({
    accept: message === null ? 'text/event-stream' : 'application/json, text/event-stream',
    ...(message !== null && { 'content-type': 'application/json' }),
    ...(sessionId !== '' && { 'mcp-session-id': sessionId }),
    ...versionHeaders(message),
  });

  const versionHeaders = (message: JsonRpcMessage | null): Record<string, string> => {
    if (negotiated?.era === 'legacy') return { 'mcp-protocol-version': negotiated.protocolVersion };
    const version = negotiated?.protocolVersion ?? versionIn(message);
    return message === null || version === null ? {} : modernHeaders(message, version, tool);
  };

  const deliver = (text: string, origin: JsonRpcId | null): boolean => {
    const message = parseMessages(text);
    if (message === null) return false;
    if (isBatch(message)) for (const one of message) events.message(one, origin ?? undefined);
    else events.message(message, origin ?? undefined);
    return true;
  };

  const streamReader = (id: JsonRpcId | null): EventStreamReader =>
    createEventStreamReader(limits.maxResult, {
      event: (_type, data) => void deliver(data, id),
      oversized(line) {
        const failed = idOfOversized(line) ?? id;
        if (failed !== null) events.failed(failed, resultTooLarge(line.bytes, limits.maxResult));
      },
    });

  const later = (delay: number, action: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!closed) action();
    }, delay).unref();
    timers.add(timer);
  };

  /** The answer to the POST of one request. */
  const answerSink = (id: JsonRpcId): HttpSink => {
    const body: Buffer[] = [];
    let size = 0;
    let status = 0;
    let type = '';
    let headers: HttpHeaders = {};
    let reader: EventStreamReader | null = null;

    const fail = (error: Parameters<WireEvents['failed']>[1]) => {
      exchanges.get(id)?.();
      exchanges.delete(id);
      events.failed(id, error);
    };
    const sessionIsGone = () => {
      events.failed(id, sessionError('CALL_INTERRUPTED', 'not-sent', { message: 'The server forgot the session.' }));
      events.lost(createFailure('RUN_DISCONNECTED', { message: 'The server forgot the session.' }));
    };

    /** What gives the login is asked again at the next start. */
    const loginIsGone = () => {
      events.failed(id, sessionError('CALL_INTERRUPTED', 'not-sent', { message: 'The server wants another login.' }));
      events.lost(createFailure('RUN_DISCONNECTED', { message: 'The server no longer takes its login.' }));
    };

    return {
      head(code, fields) {
        status = code;
        headers = fields;
        type = headerOf(fields, 'content-type');
        if (code >= 300) return;
        if (negotiated === null) sessionId = headerOf(fields, 'mcp-session-id') || sessionId;
        if (type.startsWith('text/event-stream')) reader = streamReader(id);
      },
      data(chunk) {
        if (reader !== null) return reader.push(chunk);
        size += chunk.length;
        if (status >= 300 && size > ERROR_BODY) return;
        if (size > limits.maxResult) return fail(resultTooLarge(size, limits.maxResult));
        body.push(chunk);
      },
      end() {
        exchanges.delete(id);
        if (!events.waits(id)) return;
        if (reader !== null) return resume(id, reader, 0);
        const text = Buffer.concat(body).toString();
        if (status >= 300) {
          if (sessionId !== '' && negotiated !== null && (status === 404 || saysNoSession(status, text))) {
            return sessionIsGone();
          }
          if (status === 401 && negotiated !== null && client.remote?.refreshes === true) return loginIsGone();
          return deliverError(id, text) ? undefined : fail(httpError(status, headers, text));
        }
        // 202: the answer will come on the GET stream.
        if (text === '' && status === 202) return;
        if (deliver(text, id) && !events.waits(id)) return;
        fail(httpError(status, headers, text, 'The server answered with something that is no JSON-RPC response'));
      },
      error(error, sent) {
        exchanges.delete(id);
        reachability.suspect(error);
        if (!events.waits(id)) return;
        if (reader !== null && reader.lastEventId() !== '') return resume(id, reader, 0);
        events.failed(id, broken(error, sent));
      },
    };
  };

  /** An error status with a JSON-RPC error in its body, as often without the id of the request. */
  const deliverError = (id: JsonRpcId, text: string): boolean => {
    const message = parseMessages(text);
    if (message === null || isBatch(message) || message.error === undefined) return false;
    events.message({ ...message, id });
    return true;
  };

  /** The stream ended before the answer (SEP-1699 allows that): ask for the rest after the last event. */
  const resume = (id: JsonRpcId, reader: EventStreamReader, tries: number) => {
    const from = reader.lastEventId();
    if (from === '' || tries >= MAX_RESUMES || negotiated?.era === 'modern') {
      const message = 'The server ended the stream without an answer.';
      return events.failed(id, sessionError('CALL_INTERRUPTED', 'sent-unknown', { message }));
    }
    later(retryDelay(reader, RETRY_DELAY), () => {
      if (!events.waits(id)) return;
      const again = () => {
        exchanges.delete(id);
        if (events.waits(id)) resume(id, reader, reader.lastEventId() === from ? tries + 1 : 0);
      };
      exchanges.set(id, openStream(reader, from, again));
    });
  };

  const openStream = (
    reader: EventStreamReader,
    lastEventId: string,
    ended: (status: number) => void,
    answered: () => void = () => {},
  ): (() => void) => {
    let status = 0;
    return client.send(
      {
        method: 'GET',
        path,
        headers: { ...headersFor(null), ...(lastEventId !== '' && { 'last-event-id': lastEventId }) },
      },
      {
        head: (code) => {
          status = code;
          answered();
        },
        data: (chunk) => (status === 200 ? reader.push(chunk) : undefined),
        end: () => ended(status),
        error: (error) => {
          reachability.suspect(error);
          ended(status);
        },
      },
    );
  };

  /** The standing GET stream for what the server says unasked; most servers answer 405, which ends the matter. */
  const listen = (lastEventId: string, delay: number) => {
    const reader = streamReader(null);
    const again = (status: number) => {
      tellListening();
      if (status !== 200 && status !== 0) return;
      const seen = reader.lastEventId() || lastEventId;
      later(retryDelay(reader, delay), () => listen(seen, Math.min(delay * 2, MAX_RETRY_DELAY)));
    };
    endListener = openStream(reader, lastEventId, again, () => tellListening());
  };

  const post = (message: OutgoingMessage, text: string, sink: HttpSink): (() => void) =>
    client.send({ method: 'POST', path, headers: headersFor(message), body: text }, sink);

  return {
    transport: 'streamable-http',
    url:
      client.target.socketPath === null
        ? redact(client.target.origin + path)
        : `unix:${client.target.socketPath}:${path}`,
    send(message, text) {
      if (message.id !== undefined && message.method !== undefined) {
        exchanges.set(message.id, post(message, text, answerSink(message.id)));
        return null;
      }
      const taken = new Promise<void>((resolve) => {
        post(message, text, { head: () => {}, data: () => {}, end: resolve, error: () => resolve() });
      });
      notifications = notifications.then(() => taken);
      return null;
    },
    abandon(id) {
      exchanges.get(id)?.();
      exchanges.delete(id);
      return negotiated?.era === 'modern';
    },
    delivered: () => notifications,
    listening: () => listening,
    opened(outcome) {
      negotiated = outcome;
      if (outcome.era !== 'legacy') return;
      listening = new Promise((resolve) => {
        tellListening = resolve;
        later(interactive ? LISTENING_INTERACTIVE : LISTENING, resolve);
      });
      void Promise.resolve().then(startListening);
    },
    close() {
      if (closed) return;
      closed = true;
      tellListening();
      reachability.stop();
      endListener();
      for (const timer of timers) clearTimeout(timer);
      for (const abort of exchanges.values()) abort();
      exchanges.clear();
      sayGoodbye(client, path, sessionId === '' ? null : headersFor(null));
    },
  };

  async function startListening(): Promise<void> {
    // The stream belongs to an initialized session.
    await notifications;
    if (!closed) listen('', RETRY_DELAY);
  }
}

/** Frees the session on the server (DELETE), then cuts the connections; nobody waits for it. */
function sayGoodbye(client: HttpClient, path: string, headers: Record<string, string> | null): void {
  if (headers === null) {
    client.close();
    return;
  }
  const timer = setTimeout(() => client.close(), GOODBYE).unref();
  const done = () => {
    clearTimeout(timer);
    client.close();
  };
  client.send({ method: 'DELETE', path, headers }, { head: () => {}, data: () => {}, end: done, error: done });
}

/** What the server asks for, within reason: it could have us ask for ever, or never again (a timer of 25 days fires at once). */
const retryDelay = (reader: EventStreamReader, usual: number): number =>
  Math.min(Math.max(reader.retry() ?? usual, MIN_RETRY_DELAY), MAX_RETRY_DELAY);

/** The version in a modern request's own envelope: `server/discover` goes out before anything is agreed. */
const versionIn = (message: JsonRpcMessage | null): string | null => {
  const meta = (message?.params as { _meta?: Readonly<Record<string, unknown>> } | undefined)?._meta;
  const version = meta?.[VERSION_KEY];
  return typeof version === 'string' ? version : null;
};

/** Older servers answer 400 for a session that they don't know. */
const saysNoSession = (status: number, text: string): boolean => status === 400 && /session id/i.test(snippet(text));

const broken = (error: Error, sent: boolean) =>
  sessionError('CALL_INTERRUPTED', sent ? 'sent-unknown' : 'not-sent', {
    message: `The connection broke: ${error.message}`,
    ...(!sent && { hint: 'The call had no effect; try again.' }),
  });
