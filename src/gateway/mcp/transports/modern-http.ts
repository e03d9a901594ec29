import type { ServerResponse } from 'node:http';
import type { Log } from '../../../../actors/context.ts';
import { isFields } from '../../../../actors/fields.ts';
import type { HttpExchange } from '../../contracts.ts';
import type { Client, Endpoint } from '../contracts.ts';
import { RpcError } from '../rpc-error.ts';
import { drop } from './drop.ts';
import { checkRevision, type Envelope, readEnvelope } from './envelope.ts';
import type { EventStream, EventStreams } from './event-stream.ts';
import { type Accepts, acceptsOf, notAcceptable, sendError, sendJson, statusOf } from './http-answers.ts';
import { answerText, type RequestMessage } from './messages.ts';
import { checkMirrors, checkParamMirrors, headerMismatch } from './mirrored-headers.ts';
import { type Outlet, type Running, run } from './running.ts';

export interface ModernHttpOptions {
  readonly log: Log;
  readonly streams: EventStreams;
  /** Names one request. */
  readonly nextId: () => string;
}

/** Requests of the modern era: each is on its own, and the end of its connection takes it back. */
export interface ModernHttp {
  handle(exchange: HttpExchange, endpoint: Endpoint, message: RequestMessage): Promise<void>;
  /** Ends what is open with an answer. */
  close(reason: string): void;
}

export function createModernHttp({ log, streams, nextId }: ModernHttpOptions): ModernHttp {
  const open: Running[] = [];
  return {
    handle: async ({ request, response, principal }, endpoint, message) => {
      const accepts = acceptsOf(request.headers);
      const { json, stream } = accepts;
      if (!stream && (!json || message.method === 'subscriptions/listen')) return notAcceptable(response);
      let envelope: Envelope;
      try {
        envelope = readEnvelope(message.params);
        const named = request.headers['mcp-protocol-version'];
        if (named !== undefined && named !== envelope.version)
          throw headerMismatch('MCP-Protocol-Version differs from _meta');
        checkRevision(envelope, message.method);
        checkMirrors(request.headers, message);
        const tool = message.method === 'tools/call' ? toolOf(endpoint, message.params) : undefined;
        if (tool !== undefined) checkParamMirrors(request.headers, tool, message.params);
      } catch (thrown) {
        if (!(thrown instanceof RpcError)) throw thrown;
        const status = statusOf(thrown.code);
        // A refused envelope is -32602 like wrong arguments are, but has a status of its own.
        return sendError(response, status === 200 ? 400 : status, thrown, message.id);
      }
      const outlet = createOutlet(response, streams, accepts);
      const running = run(message, {
        endpoint,
        client: createClient(envelope, nextId(), principal.id),
        outlet,
        questions: null,
        log,
      });
      open.push(running);
      response.once('close', running.cancel);
      if (response.destroyed) running.cancel();
      const answer = await running.answer;
      drop(open, running);
      response.off('close', running.cancel);
      if (answer === null) return void response.destroy();
      outlet.finish(answerText(answer), answer.error ? statusOf(answer.error.code) : 200);
    },
    close: (reason) => {
      for (const running of [...open]) running.end(reason);
    },
  };
}

const createClient = ({ version, info, capabilities }: Envelope, id: string, principal: string): Client => ({
  id,
  once: true,
  era: 'modern',
  protocolVersion: version,
  info,
  capabilities,
  principal,
  notify: () => {},
});

function toolOf(endpoint: Endpoint, params: unknown) {
  const name = isFields(params) ? params.name : undefined;
  return typeof name === 'string' ? endpoint.tool?.(name) : undefined;
}

/** JSON when the answer comes first, else a stream. */
function createOutlet(response: ServerResponse, streams: EventStreams, accepts: Accepts) {
  let stream: EventStream | null = null;
  const outlet: Outlet & { finish(text: string, status: number): void } = {
    reachable: () => false,
    tell: (text) => {
      if (!accepts.stream || response.destroyed) return;
      stream ??= streams.open(response);
      stream.send(text);
    },
    finish: (text, status) => {
      if (stream === null && (accepts.json || status !== 200)) return sendJson(response, status, text);
      stream ??= streams.open(response);
      stream.send(text);
      stream.end();
    },
  };
  return outlet;
}
