import type { Log } from '../../../../actors/context.ts';
import type { HttpExchange } from '../../contracts.ts';
import type { Endpoint } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { LEGACY_VERSIONS } from '../versions.ts';
import { agree, introduce } from './conversation.ts';
import type { EventStreams } from './event-stream.ts';
import { acceptsOf, NO_SESSION, notAcceptable, refuse, sendAccepted, sendError } from './http-answers.ts';
import { createLegacySession, type LegacySession } from './legacy-session.ts';
import {
  type Answer,
  answerText,
  errorAnswer,
  type Incoming,
  MOST_IN_BATCH,
  type RequestMessage,
  readIncoming,
} from './messages.ts';
import { createPost } from './post.ts';
import { readEventId } from './resumable-stream.ts';
import { createSessionTable } from './session-table.ts';

export interface LegacyHttpOptions {
  readonly log: Log;
  readonly streams: EventStreams;
  /** Names one client. */
  readonly nextId: () => string;
  readonly maxSessions: number;
  readonly sessionIdle: number;
  readonly resumeGrace: number;
}

/** Sessions of the legacy era: 2025-03-26 to 2025-11-25 as the specification has them, older revisions over the same door. */
export interface LegacyHttp {
  post(exchange: HttpExchange, endpoint: Endpoint, incoming: Incoming): Promise<void>;
  batch(exchange: HttpExchange, endpoint: Endpoint, messages: readonly unknown[]): Promise<void>;
  get(exchange: HttpExchange, endpoint: Endpoint): void;
  delete(exchange: HttpExchange, endpoint: Endpoint): void;
  close(reason: string): void;
  readonly sessions: number;
}

export function createLegacyHttp(options: LegacyHttpOptions): LegacyHttp {
  const { log, streams, nextId, maxSessions, sessionIdle, resumeGrace: grace } = options;
  const table = createSessionTable({ max: maxSessions, idle: sessionIdle });

  /** The session that the exchange names; undefined after a refusal. */
  const find = (exchange: HttpExchange, endpoint: Endpoint): LegacySession | undefined => {
    const { request, response, principal } = exchange;
    const id = request.headers['mcp-session-id'] as string | undefined;
    if (id === undefined) return void refuse(response, 400, 'Bad Request: the Mcp-Session-Id header is missing.');
    const session = table.get(id);
    // A session of another principal or place is as unknown as one that never was.
    if (session === undefined || session.client.principal !== principal.id || session.endpoint !== endpoint) {
      return void sendError(response, 404, new RpcError(NO_SESSION, 'Session not found'));
    }
    const version = request.headers['mcp-protocol-version'] as string | undefined;
    if (version !== undefined && !LEGACY_VERSIONS.includes(version)) {
      const supported = LEGACY_VERSIONS.join(', ');
      return void refuse(response, 400, `Bad Request: unsupported protocol version (supported: ${supported}).`);
    }
    session.seen = Date.now();
    return session;
  };

  const open = async (exchange: HttpExchange, endpoint: Endpoint, message: RequestMessage) => {
    const { request, response, principal } = exchange;
    const accepts = acceptsOf(request.headers);
    if (!accepts.json && !accepts.stream) return notAcceptable(response);
    const session = createLegacySession({
      clientId: nextId(),
      principal: principal.id,
      endpoint,
      streams,
      log,
    });
    if (!table.add(session)) {
      return refuse(response, 503, 'Too many sessions are in use.', { 'retry-after': '10' });
    }
    introduce(session.client, message.params);
    const post = createPost({ session, response, accepts, streams, grace });
    const running = session.conversation.request(message, post);
    post.carries([running]);
    const answer = await running.answer;
    if (answer === null || answer.error !== undefined || response.destroyed) {
      table.end(session, 'The session was not opened.');
    } else agree(session.client, answer);
    post.finish(answer === null ? [] : [answerText(answer)], false);
  };

  const answer = async (
    exchange: HttpExchange,
    session: LegacySession,
    requests: readonly RequestMessage[],
    done: Answer[],
    batch: boolean,
  ) => {
    const { request, response } = exchange;
    const accepts = acceptsOf(request.headers);
    if (!accepts.json && !accepts.stream) return notAcceptable(response);
    const post = createPost({ session, response, accepts, streams, grace });
    const running = requests.map((message) => session.conversation.request(message, post));
    post.carries(running);
    for (const one of running) {
      const answered = await one.answer;
      if (answered !== null) done.push(answered);
    }
    session.seen = Date.now();
    post.finish(done.map(answerText), batch);
  };

  return {
    post: async (exchange, endpoint, incoming) => {
      if (incoming.kind === 'request' && incoming.message.method === 'initialize') {
        return open(exchange, endpoint, incoming.message);
      }
      const session = find(exchange, endpoint);
      if (session === undefined) return;
      if (incoming.kind === 'request') return answer(exchange, session, [incoming.message], [], false);
      take(session, incoming);
      sendAccepted(exchange.response);
    },
    batch: async (exchange, endpoint, messages) => {
      const session = find(exchange, endpoint);
      if (session === undefined) return;
      const wrong =
        messages.length === 0
          ? 'The batch is empty.'
          : messages.length > MOST_IN_BATCH
            ? `A batch holds at most ${MOST_IN_BATCH} messages.`
            : null;
      if (wrong !== null) return sendError(exchange.response, 400, new RpcError(RPC.invalidRequest, wrong));
      const requests: RequestMessage[] = [];
      const done: Answer[] = [];
      for (const incoming of messages.map(readIncoming)) {
        if (incoming.kind === 'invalid')
          done.push(errorAnswer(incoming.id, new RpcError(RPC.invalidRequest, 'Invalid Request')));
        else if (incoming.kind !== 'request') take(session, incoming);
        else if (incoming.message.method !== 'initialize') requests.push(incoming.message);
        else
          done.push(
            errorAnswer(
              incoming.message.id,
              new RpcError(RPC.invalidRequest, 'initialize must not be part of a batch.'),
            ),
          );
      }
      if (requests.length === 0 && done.length === 0) return sendAccepted(exchange.response);
      return answer(exchange, session, requests, done, true);
    },
    get: (exchange, endpoint) => {
      const { request, response } = exchange;
      if (!acceptsOf(request.headers).stream)
        return refuse(response, 406, 'Not Acceptable: the client must accept text/event-stream.');
      const session = find(exchange, endpoint);
      if (session === undefined) return;
      const last = request.headers['last-event-id'];
      const from = typeof last === 'string' ? readEventId(last) : null;
      if (from === null || from.number === 0) return session.listen(response, from?.seq ?? null);
      const post = session.posts.get(from.number);
      if (post === undefined) return refuse(response, 400, 'Bad Request: that stream is over.');
      post.resume(response, from.seq);
    },
    delete: (exchange, endpoint) => {
      const session = find(exchange, endpoint);
      if (session === undefined) return;
      table.end(session, 'The session was ended by its client.');
      exchange.response.writeHead(200, { 'content-length': 0 });
      exchange.response.end();
    },
    close: table.close,
    get sessions() {
      return table.size;
    },
  };
}

function take({ conversation }: LegacySession, incoming: Incoming): void {
  if (incoming.kind === 'notification') conversation.hear(incoming.message);
  else if (incoming.kind === 'response') conversation.answered(incoming.message);
}
