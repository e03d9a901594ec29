import { randomUUID } from 'node:crypto';
import type { Log } from '../../../../actors/context.ts';
import type { HttpExchange, McpHttpFace } from '../../contracts.ts';
import type { Endpoint } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { createClientIds } from './client-ids.ts';
import {
  agree,
  type Conversation,
  createConversation,
  createLateClient,
  introduce,
  type LateClient,
} from './conversation.ts';
import { createEventStreams, type EventStream } from './event-stream.ts';
import { NO_SESSION, refuse, sendError } from './http-answers.ts';
import {
  answerText,
  errorAnswer,
  type Incoming,
  MOST_IN_BATCH,
  messageText,
  type RequestMessage,
  readIncoming,
} from './messages.ts';
import type { Outlet } from './running.ts';

export interface LegacySseOptions {
  readonly log: Log;
  /** Streams at once; more are refused with 503, because each is in use (default 1000). */
  readonly maxSessions?: number;
  /** Milliseconds between comments on quiet streams (default 15 s). */
  readonly keepAlive?: number;
  /** Bytes that a client may leave unread before it is cut off (default 4 MiB). */
  readonly maxUnread?: number;
}

interface SseSession {
  readonly endpoint: Endpoint;
  readonly client: LateClient;
  readonly conversation: Conversation;
  readonly stream: EventStream;
  readonly outlet: Outlet;
}

/**
 * HTTP+SSE of revision 2024-11-05: a GET opens the stream of all answers and names the address of its POSTs. The session is
 * the stream: its end takes everything back. `handle` rejects only with what `exchange.body()` rejects with.
 */
export function createLegacySse(options: LegacySseOptions): McpHttpFace {
  const { log, maxSessions = 1000, keepAlive = 15_000, maxUnread = 4 * 1024 * 1024 } = options;
  const streams = createEventStreams({ keepAlive, maxUnread });
  const nextId = createClientIds();
  const sessions = new Map<string, SseSession>();
  let closed = false;

  const end = (id: string, reason: string) => {
    const session = sessions.get(id);
    if (session === undefined) return;
    sessions.delete(id);
    session.conversation.end(reason);
  };

  const open = ({ request, response, principal }: HttpExchange, endpoint: Endpoint) => {
    if (sessions.size >= maxSessions)
      return refuse(response, 503, 'Too many sessions are in use.', { 'retry-after': '10' });
    const id = randomUUID();
    const stream = streams.open(response);
    const tell = (text: string) => void stream.send(text);
    const client = createLateClient(nextId(), principal.id, (method, params) => tell(messageText(method, params)));
    const conversation = createConversation({ endpoint, client, log });
    sessions.set(id, {
      endpoint,
      client,
      conversation,
      stream,
      outlet: { reachable: () => true, tell },
    });
    response.once('close', () => end(id, 'The client is gone.'));
    // The whole path, since some clients can't resolve less; with the query, since a token may stand there.
    // Express and its like take their prefix off `url`.
    const { originalUrl = request.url } = request as { readonly originalUrl?: string; readonly url?: string };
    const [pathname = '/', query] = (originalUrl ?? '/').split('?', 2);
    stream.event('endpoint', `${pathname}?${query ? `${query}&` : ''}sessionId=${id}`);
  };

  const answer = async ({ client, conversation, outlet, stream }: SseSession, message: RequestMessage) => {
    const greets = message.method === 'initialize';
    if (greets) introduce(client, message.params);
    const answered = await conversation.request(message, outlet).answer;
    if (answered === null) return;
    if (greets) agree(client, answered);
    stream.send(answerText(answered));
  };

  const take = (session: SseSession, incoming: Incoming) => {
    if (incoming.kind === 'request') void answer(session, incoming.message);
    else if (incoming.kind === 'notification') session.conversation.hear(incoming.message);
    else if (incoming.kind === 'response') session.conversation.answered(incoming.message);
    else session.stream.send(answerText(errorAnswer(incoming.id, new RpcError(RPC.invalidRequest, 'Invalid Request'))));
  };

  const post = async (exchange: HttpExchange, endpoint: Endpoint) => {
    const { request, response, query, principal } = exchange;
    const type = request.headers['content-type'];
    if (type !== undefined && !type.includes('json')) {
      return refuse(response, 415, 'Unsupported Media Type: the body must be application/json.');
    }
    const id = query.get('sessionId');
    if (id === null) return refuse(response, 400, 'Bad Request: sessionId is missing.');
    const session = sessions.get(id);
    if (session === undefined || session.client.principal !== principal.id || session.endpoint !== endpoint) {
      return sendError(response, 404, new RpcError(NO_SESSION, 'Session not found'));
    }
    const body = await exchange.body();
    let value: unknown;
    try {
      value = JSON.parse(body.toString());
    } catch {
      return sendError(response, 400, new RpcError(RPC.parseError, 'Parse error: the body is not JSON.'));
    }
    if (Array.isArray(value) && value.length > MOST_IN_BATCH) {
      const tooMany = `A batch holds at most ${MOST_IN_BATCH} messages.`;
      return sendError(response, 400, new RpcError(RPC.invalidRequest, tooMany));
    }
    const incoming = (Array.isArray(value) ? value : [value]).map(readIncoming);
    if (!Array.isArray(value) && incoming[0]?.kind === 'invalid') {
      return sendError(
        response,
        400,
        new RpcError(RPC.invalidRequest, 'Invalid Request: no JSON-RPC message.'),
        incoming[0].id,
      );
    }
    // Clients of that time look for the word.
    response.writeHead(202, { 'content-type': 'text/plain', 'content-length': 8 });
    response.end('Accepted');
    for (const one of incoming) take(session, one);
  };

  return {
    handle: async (exchange, endpoint) => {
      const { method, response } = exchange;
      if (closed) return refuse(response, 503, GOING_AWAY, { 'retry-after': '1' });
      if (method === 'POST') return post(exchange, endpoint);
      // The end of one that is gone would never be heard of.
      if (method === 'GET') return response.destroyed ? undefined : open(exchange, endpoint);
      refuse(response, 405, 'Method not allowed.', { allow: 'GET, POST' });
    },
    close: () => {
      if (closed) return;
      closed = true;
      for (const id of [...sessions.keys()]) end(id, GOING_AWAY);
      // Answers are written in the turns that follow.
      setImmediate(streams.close);
    },
    sessions: () => sessions.size,
  };
}

const GOING_AWAY = 'The gateway is shutting down.';
