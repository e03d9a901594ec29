import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { connectHttp, connectSse, handshake } from '../../../actors/mcp/connect.ts';
import { ASK_ANYTHING, type ClientCapabilities } from '../../../actors/mcp/meta.ts';
import type { McpSession } from '../../../actors/mcp/session.ts';
import type { SessionError } from '../../../actors/mcp/session-error.ts';
import { createFailure } from '../../../machines/failure.ts';
import { limits, livingProcess, type Served, serveHttp } from './serve-http.ts';

type Rpc = { id?: number; method?: string; params?: Record<string, unknown> };
type Respond = (rpc: Rpc, response: ServerResponse, request: IncomingMessage) => void;

const hello = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x' } };
const json = (response: ServerResponse, body: object, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json', 'mcp-session-id': 's' }).end(JSON.stringify(body));
const result = (id: number | undefined, value: unknown) => ({ jsonrpc: '2.0', id, result: value });
const event = (message: object, id?: string) =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`;

/** A server with the handshake done for it; GET is 405 unless `get` takes it. */
async function open(
  respond: Respond,
  get?: (request: IncomingMessage, response: ServerResponse) => void,
  capabilities: ClientCapabilities | null = null,
) {
  const served = await serveHttp((request, response, body) => {
    if (request.method === 'GET' && get) return get(request, response);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const rpc = JSON.parse(body) as Rpc;
    if (rpc.method === 'initialize') return void json(response, result(rpc.id, hello));
    if (rpc.method === 'notifications/initialized') return void response.writeHead(202).end();
    respond(rpc, response, request);
  });
  const target = { origin: served.origin, socketPath: null };
  const session = await connectHttp({ process: livingProcess, limits, capabilities }, target, '/mcp');
  const outcome = await handshake(session, { era: 'auto', signal: new AbortController().signal, timeout: 5000 });
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return { served, session, [Symbol.asyncDispose]: () => end(served, session) };
}

async function end(served: Served, session: McpSession) {
  session.close(createFailure('CALL_STOPPED'));
  await served.stop();
}

const failureOf = (promise: Promise<unknown>): Promise<SessionError> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error) => error as SessionError,
  );

describe('Streamable HTTP', () => {
  it('carries session id and protocol version after the handshake', async () => {
    await using opened = await open(({ id }, response, { headers }) => json(response, result(id, headers)));
    expect(await opened.session.request('x', {})).toMatchObject({
      'mcp-session-id': 's',
      'mcp-protocol-version': '2025-11-25',
      accept: 'application/json, text/event-stream',
    });
  });

  it('puts what the server asks to the request on whose stream it came, however many are in flight', async () => {
    const streams = new Map<unknown, { response: ServerResponse; id: number | undefined }>();
    const respond: Respond = ({ id, method, params, ...answer }, response) => {
      if (method === undefined) {
        response.writeHead(202).end();
        const asker = streams.get((answer as { result?: { caller: unknown } }).result?.caller);
        asker?.response.end(event(result(asker.id, { told: answer }), '2'));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.set(params?.caller, { response, id });
      if (streams.size < 3) return;
      const note = { jsonrpc: '2.0', method: 'notifications/message', params: { data: params?.caller } };
      response.write(event(note));
      for (const [caller, each] of streams) {
        each.response.write(event({ jsonrpc: '2.0', id: `q${caller}`, method: 'roots/list' } as object, '1'));
      }
    };
    await using opened = await open(respond, undefined, ASK_ANYTHING);
    const heard: unknown[] = [];
    const call = (caller: string) =>
      opened.session.request(
        'tools/call',
        { caller },
        { onRequest: async () => ({ caller }), onNotification: ({ params }) => heard.push([caller, params]) },
      );
    const answers = await Promise.all(['a', 'b', 'c'].map(call));
    expect(answers).toMatchObject([
      { told: { result: { caller: 'a' } } },
      { told: { result: { caller: 'b' } } },
      { told: { result: { caller: 'c' } } },
    ]);
    expect(heard).toEqual([['c', { data: 'c' }]]);
  });

  it('makes one call after the other once the server has asked beside the streams of its calls', async () => {
    const standing: ServerResponse[] = [];
    const waiting: { id: number | undefined; response: ServerResponse }[] = [];
    const respond: Respond = ({ id, method, ...answer }, response) => {
      if (method !== undefined) waiting.push({ id, response });
      else {
        response.writeHead(202).end();
        const asker = waiting.shift();
        if (asker !== undefined) json(asker.response, result(asker.id, answer));
      }
    };
    const get = (_: IncomingMessage, response: ServerResponse) =>
      void standing.push(response.writeHead(200, { 'content-type': 'text/event-stream' }));
    await using opened = await open(respond, get, ASK_ANYTHING);
    await vi.waitFor(() => expect(standing).toHaveLength(1));
    const ask = (n: number) =>
      standing[0]?.write(event({ jsonrpc: '2.0', id: `q${n}`, method: 'roots/list' } as object));
    const call = (caller: number) =>
      opened.session.request('tools/call', {}, { onRequest: async () => ({ caller }) }) as Promise<object>;
    const two = [call(1), call(2)];
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    ask(1);
    expect(await Promise.race(two)).toMatchObject({ error: { code: -32603 } });
    ask(2);
    await Promise.all(two);
    const next = [call(3), call(4)];
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    ask(3);
    expect(await next[0]).toMatchObject({ result: { caller: 3 } });
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    ask(4);
    expect(await next[1]).toMatchObject({ result: { caller: 4 } });
  });

  it('says goodbye to the session when it is closed', async () => {
    const opened = await open(() => {});
    opened.session.close(createFailure('CALL_STOPPED'));
    await vi.waitFor(() => expect(opened.served.requests).toContain('DELETE /mcp'));
    await opened.served.stop();
  });

  it('hears progress and the answer on one stream', async () => {
    await using opened = await open(({ id, params }, response) => {
      const { progressToken } = params!._meta as { progressToken: number };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        event({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1 } }),
      );
      response.end(event(result(id, 'done')));
    });
    const heard: unknown[] = [];
    expect(await opened.session.request('x', {}, { onProgress: (progress) => heard.push(progress) })).toBe('done');
    expect(heard).toMatchObject([{ progress: 1 }]);
  });

  it('resumes a stream that the server broke off, after its last event', async () => {
    let asked: Rpc | undefined;
    await using opened = await open(
      (rpc, response) => {
        asked = rpc;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: e1\nretry: 10\ndata:\n\n');
      },
      ({ headers }, response) => {
        if (headers['last-event-id'] !== 'e1') return void response.writeHead(405).end();
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(event(result(asked?.id, 'resumed'), 'e2'));
      },
    );
    expect(await opened.session.request('x', {})).toBe('resumed');
  });

  it('hears on the GET stream what the server says unasked', async () => {
    const message = { jsonrpc: '2.0' as const, method: 'notifications/message', params: { data: 'hi' } };
    let send = () => {};
    await using opened = await open(
      ({ id }, response) => {
        send();
        json(response, result(id, {}));
      },
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        send = () => response.write(event(message));
      },
    );
    const heard: unknown[] = [];
    opened.session.onMessage((one) => heard.push(one));
    await vi.waitFor(() => expect(opened.served.requests).toContain('GET /mcp'));
    await opened.session.request('x', {});
    await vi.waitFor(() => expect(heard).toEqual([message]));
  });

  it('is over when the server has forgotten the session, and the call that found out was not run', async () => {
    await using opened = await open((_, response) => response.writeHead(404).end());
    expect(await failureOf(opened.session.request('x', {}))).toMatchObject({
      fate: 'not-sent',
      failure: { code: 'CALL_INTERRUPTED' },
    });
    expect(await opened.session.closed).toMatchObject({ code: 'RUN_DISCONNECTED' });
  });

  it('is over when nobody listens any more', async () => {
    const opened = await open(({ id }, response) => json(response, result(id, {})));
    await opened.session.request('x', {});
    await opened.served.stop();
    expect((await failureOf(opened.session.request('x', {}))).failure.code).toBe('CALL_INTERRUPTED');
    expect(await failureOf(opened.session.request('x', {}))).toMatchObject({ fate: 'not-sent' });
    expect(await opened.session.closed).toMatchObject({ code: 'RUN_DISCONNECTED' });
  });

  it('gives up a call whose connection breaks, its fate unknown', async () => {
    await using opened = await open((_, __, request) => request.socket.destroy());
    expect(await failureOf(opened.session.request('x', {}))).toMatchObject({ fate: 'sent-unknown' });
  });

  it('rejects an error status with status and body', async () => {
    await using opened = await open((_, response) => response.writeHead(500).end('no database'));
    expect(await failureOf(opened.session.request('x', {}))).toMatchObject({
      fate: 'answered',
      failure: { code: 'CALL_HTTP_ERROR', data: { status: 500, body: 'no database' } },
    });
  });

  it('takes a JSON-RPC error from an error status, with or without the id', async () => {
    const error = { code: -32602, message: 'bad' };
    await using opened = await open((_, response) => json(response, { jsonrpc: '2.0', id: null, error }, 400));
    expect((await failureOf(opened.session.request('x', {}))).failure).toMatchObject({
      code: 'CALL_PROTOCOL_ERROR',
      data: error,
    });
  });

  it.each(['json', 'events'])('drops an answer over the limit that comes as %s', async (kind) => {
    await using opened = await open(({ id, method }, response) => {
      const answer = result(id, method === 'big' ? 'x'.repeat(2_000_000) : 'small');
      if (kind === 'json') return void json(response, answer);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(event(answer));
    });
    expect((await failureOf(opened.session.request('big', {}))).failure.code).toBe('CALL_RESULT_TOO_LARGE');
    expect(await opened.session.request('x', {})).toBe('small');
  });

  it('cancels a call that timed out, and ends its response', async () => {
    const heard: string[] = [];
    await using opened = await open(({ method }, response) => {
      heard.push(method ?? '');
      if (method === 'notifications/cancelled') response.writeHead(202).end();
      else response.on('close', () => heard.push('closed'));
    });
    expect((await failureOf(opened.session.request('x', {}, { timeout: 50 }))).failure.code).toBe('CALL_TIMEOUT');
    await vi.waitFor(() => expect(heard.sort()).toEqual(['closed', 'notifications/cancelled', 'x']));
  });
});

describe('HTTP+SSE', () => {
  async function openSse(endpoint: string) {
    let stream: ServerResponse;
    const served = await serveHttp((request, response, body) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        return void stream.write(`event: endpoint\ndata: ${endpoint}\n\n`);
      }
      const { id, method } = JSON.parse(body) as Rpc;
      response.writeHead(method === 'refused' ? 500 : 202).end('Accepted');
      if (method === 'hang up') return void stream.end();
      if (id !== undefined && method !== 'refused') stream.write(event(result(id, hello)));
    });
    const target = { origin: served.origin, socketPath: null };
    const session = await connectSse({ process: livingProcess, limits }, target, '/sse');
    return { served, session, [Symbol.asyncDispose]: () => end(served, session) };
  }
  const options = { era: 'auto', signal: new AbortController().signal, timeout: 5000 } as const;

  it('posts where the stream says and is answered on the stream', async () => {
    await using opened = await openSse('messages?session=1');
    expect((await handshake(opened.session, options)).ok).toBe(true);
    expect(await opened.session.request('x', {})).toEqual(hello);
    expect(opened.served.requests).toContain('POST /messages?session=1');
  });

  it('fails a call that the POST refuses', async () => {
    await using opened = await openSse('/messages');
    expect((await failureOf(opened.session.request('refused', {}))).failure.code).toBe('CALL_HTTP_ERROR');
  });

  it('is over when the stream ends', async () => {
    await using opened = await openSse('/messages');
    expect(await failureOf(opened.session.request('hang up', {}))).toMatchObject({ fate: 'sent-unknown' });
    expect(await opened.session.closed).toMatchObject({ code: 'RUN_DISCONNECTED' });
  });

  it('posts nothing to another origin', async () => {
    await using opened = await openSse('http://127.0.0.1:1/messages');
    expect((await failureOf(opened.session.request('x', {}))).failure.message).toContain('another origin');
  });
});
