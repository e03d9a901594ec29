import type { Log } from '../../../../actors/context.ts';
import type { HttpExchange, McpHttpFace } from '../../contracts.ts';
import type { Endpoint } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { isModern } from '../versions.ts';
import { createClientIds } from './client-ids.ts';
import { hasEnvelope } from './envelope.ts';
import { createEventStreams } from './event-stream.ts';
import { refuse, sendAccepted, sendError } from './http-answers.ts';
import { createLegacyHttp } from './legacy-http.ts';
import { readIncoming } from './messages.ts';
import { headerMismatch } from './mirrored-headers.ts';
import { createModernHttp } from './modern-http.ts';

export interface StreamableHttpOptions {
  readonly log: Log;
  /** Client sessions of the legacy era at once; the one that is quiet for longest goes (default 1000). */
  readonly maxSessions?: number;
  /** Milliseconds without traffic after which a session ends; a standing stream is traffic (default 30 min). */
  readonly sessionIdle?: number;
  /** Milliseconds between comments on quiet streams; proxies cut after 30 to 60 s (default 15 s). */
  readonly keepAlive?: number;
  /** Milliseconds for which a request of the legacy era goes on whose connection broke (default 60 s). */
  readonly resumeGrace?: number;
  /** Bytes that a client may leave unread on a stream before it is cut off (default 4 MiB). */
  readonly maxUnread?: number;
}

/**
 * Streamable HTTP of both eras on one URL: the body decides, and the headers must agree with it. `handle` rejects only with
 * what `exchange.body()` rejects with.
 */
export function createStreamableHttp(options: StreamableHttpOptions): McpHttpFace {
  const { log, maxSessions = 1000, sessionIdle = 30 * 60_000, keepAlive = 15_000, resumeGrace = 60_000 } = options;
  const streams = createEventStreams({ keepAlive, maxUnread: options.maxUnread ?? 4 * 1024 * 1024 });
  const nextId = createClientIds();
  const modern = createModernHttp({ log, streams, nextId });
  const legacy = createLegacyHttp({ log, streams, nextId, maxSessions, sessionIdle, resumeGrace });
  let closed = false;

  const post = async (exchange: HttpExchange, endpoint: Endpoint) => {
    const { request, response } = exchange;
    const type = request.headers['content-type'];
    if (type !== undefined && !type.includes('json')) {
      return refuse(response, 415, 'Unsupported Media Type: the body must be application/json.');
    }
    const body = await exchange.body();
    if (closed) return goingAway(exchange);
    let value: unknown;
    try {
      value = JSON.parse(body.toString());
    } catch {
      return sendError(response, 400, new RpcError(RPC.parseError, 'Parse error: the body is not JSON.'));
    }
    const header = request.headers['mcp-protocol-version'] as string | undefined;
    const modernHeader = header !== undefined && isModern(header);
    if (Array.isArray(value)) {
      if (modernHeader || value.some((one) => hasEnvelope(one?.params)))
        return invalid(exchange, 'No batches in this revision.');
      return legacy.batch(exchange, endpoint, value);
    }
    const incoming = readIncoming(value);
    switch (incoming.kind) {
      case 'request': {
        const { message } = incoming;
        if (hasEnvelope(message.params)) return modern.handle(exchange, endpoint, message);
        if (!modernHeader) return legacy.post(exchange, endpoint, incoming);
        if (message.method !== 'initialize') return modern.handle(exchange, endpoint, message);
        return sendError(
          response,
          400,
          headerMismatch('initialize belongs to an older MCP-Protocol-Version'),
          message.id,
        );
      }
      case 'notification':
        if (!modernHeader && !hasEnvelope(incoming.message.params)) return legacy.post(exchange, endpoint, incoming);
        // The modern era has no notification of clients over HTTP that means anything.
        return sendAccepted(response);
      case 'response':
        return modernHeader
          ? invalid(exchange, 'No answers are asked for in this revision.')
          : legacy.post(exchange, endpoint, incoming);
      default:
        return sendError(
          response,
          400,
          new RpcError(RPC.invalidRequest, 'Invalid Request: no JSON-RPC message.'),
          incoming.id,
        );
    }
  };

  return {
    handle: async (exchange, endpoint) => {
      if (closed) return goingAway(exchange);
      const { method, request, response } = exchange;
      if (method === 'POST') return post(exchange, endpoint);
      const header = request.headers['mcp-protocol-version'] as string | undefined;
      if (header !== undefined && isModern(header))
        return refuse(response, 405, 'Method not allowed.', { allow: 'POST' });
      // Its end would never be heard of.
      if (response.destroyed) return;
      if (method === 'GET') return legacy.get(exchange, endpoint);
      if (method === 'DELETE') return legacy.delete(exchange, endpoint);
      refuse(response, 405, 'Method not allowed.', { allow: 'GET, POST, DELETE' });
    },
    close: () => {
      if (closed) return;
      closed = true;
      modern.close(GOING_AWAY);
      legacy.close(GOING_AWAY);
      // Answers are written in the turns that follow.
      setImmediate(streams.close);
    },
    sessions: () => legacy.sessions,
  };
}

const GOING_AWAY = 'The gateway is shutting down.';

const goingAway = ({ response }: HttpExchange) => refuse(response, 503, GOING_AWAY, { 'retry-after': '1' });

const invalid = ({ response }: HttpExchange, why: string) =>
  sendError(response, 400, new RpcError(RPC.invalidRequest, `Invalid Request: ${why}`));
