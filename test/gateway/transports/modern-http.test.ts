import { describe, expect, it } from 'vitest';
import { createStreamableHttp } from '../../../src/gateway/mcp/transports/streamable-http.ts';
import { createFakeEndpoint, quiet, until } from './fake-endpoint.ts';
import { BOTH, envelope, events, modern, nextMessage, raw, rpc } from './raw-http.ts';
import { serveFace } from './serve-face.ts';

async function serve(options = {}) {
  const endpoint = createFakeEndpoint();
  const face = createStreamableHttp({ log: quiet, ...options });
  return { endpoint, face, ...(await disposable(await serveFace(face, endpoint))) };
}
const disposable = async (served: Awaited<ReturnType<typeof serveFace>>) => ({
  url: served.url,
  errors: served.errors,
  [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
});

const META = 'io.modelcontextprotocol/';
const without = (key: string) => {
  const { [`${META}${key}`]: _, ...rest } = envelope() as Record<string, unknown>;
  return rest;
};
const list = modern('tools/list');
const call = modern('tools/call', { name: 'echo', arguments: { a: 1 } });
const mirrored = (given: object, headers: Record<string, string>) => {
  const request = modern('tools/call', { name: 'mirrored', arguments: given });
  return { body: request.body, headers: { ...request.headers, ...headers } };
};
const withHeaders = (request: typeof call, headers: Record<string, string | undefined>) => ({
  body: request.body,
  headers: Object.fromEntries(
    Object.entries({ ...request.headers, ...headers }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>,
});

describe('a modern request is refused', () => {
  it.each([
    ['without _meta', { ...list, body: rpc('tools/list', {}) }, 400, -32602],
    ['without params', { ...list, body: rpc('tools/list') }, 400, -32602],
    [
      'without protocolVersion in _meta',
      { ...list, body: rpc('tools/list', { _meta: without('protocolVersion') }) },
      400,
      -32602,
    ],
    [
      'without clientCapabilities',
      { ...list, body: rpc('tools/list', { _meta: without('clientCapabilities') }) },
      400,
      -32602,
    ],
    [
      'when clientInfo is no object',
      { ...list, body: rpc('tools/list', { _meta: { ...envelope(), [`${META}clientInfo`]: 'me' } }) },
      400,
      -32602,
    ],
    ['without MCP-Protocol-Version', withHeaders(list, { 'mcp-protocol-version': undefined }), 400, -32020],
    [
      'when MCP-Protocol-Version is another one',
      withHeaders(list, { 'mcp-protocol-version': '2027-01-01' }),
      400,
      -32020,
    ],
    [
      'when MCP-Protocol-Version is a legacy one',
      withHeaders(list, { 'mcp-protocol-version': '2025-11-25' }),
      400,
      -32020,
    ],
    ['without Mcp-Method', withHeaders(list, { 'mcp-method': undefined }), 400, -32020],
    ['when Mcp-Method is another one', withHeaders(list, { 'mcp-method': 'tools/call' }), 400, -32020],
    ['without Mcp-Name', withHeaders(call, { 'mcp-name': undefined }), 400, -32020],
    ['when Mcp-Name is another one', withHeaders(call, { 'mcp-name': 'other' }), 400, -32020],
    ['when Mcp-Name is broken Base64', withHeaders(call, { 'mcp-name': '=?base64?ZWNobw?=' }), 400, -32020],
    [
      'in an unknown revision',
      {
        body: rpc('tools/list', { _meta: envelope('2099-01-01') }),
        headers: { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' },
      },
      400,
      -32022,
    ],
    [
      'in a legacy revision with an envelope',
      {
        body: rpc('tools/list', { _meta: envelope('2025-11-25') }),
        headers: { 'mcp-protocol-version': '2025-11-25', 'mcp-method': 'tools/list' },
      },
      400,
      -32022,
    ],
    ['for a method that is none', modern('tools/mend'), 404, -32601],
    ...['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'].map(
      (method) => [`for ${method}, which the revision removed`, modern(method), 404, -32601] as const,
    ),
    [
      'when it is initialize under a modern header',
      { body: rpc('initialize', { protocolVersion: '2025-11-25' }), headers: { 'mcp-protocol-version': '2026-07-28' } },
      400,
      -32020,
    ],
    ['in a batch', { ...list, body: [list.body] }, 400, -32600],
    ['when a mirrored argument has no header', mirrored({ region: 'eu' }, {}), 400, -32020],
    [
      'when a mirrored argument has another header',
      mirrored({ region: 'eu' }, { 'mcp-param-region': 'us' }),
      400,
      -32020,
    ],
    [
      'when a header of an argument is broken Base64',
      mirrored({ region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }),
      400,
      -32020,
    ],
    [
      'when a header of no argument is broken Base64',
      mirrored({}, { 'mcp-param-region': '=?base64?@?=' }),
      400,
      -32020,
    ],
    [
      'when a nested mirrored number differs',
      mirrored({ deep: { count: 4 } }, { 'mcp-param-count': '5' }),
      400,
      -32020,
    ],
  ] as const)('%s', async (_, request, status, code) => {
    await using one = await serve();
    const response = await raw(one.url, request);
    const answer = (await response.json()) as { id: unknown; error: { code: number } };
    expect([response.status, answer.error.code]).toEqual([status, code]);
    expect(answer.id).toBe(Array.isArray(request.body) ? null : 1);
  });

  it('and told which revisions there are', async () => {
    await using one = await serve();
    const headers = { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'server/discover' };
    const body = rpc('server/discover', { _meta: envelope('2099-01-01') });
    const { error } = (await (await raw(one.url, { body, headers })).json()) as { error: { data: unknown } };
    expect(error.data).toEqual({ supported: ['2026-07-28'], requested: '2099-01-01' });
  });
});

describe('a modern request is served', () => {
  it.each([
    ['when Mcp-Name is Base64', withHeaders(call, { 'mcp-name': '=?base64?ZWNobw==?=' })],
    ['without clientInfo', { ...list, body: rpc('tools/list', { _meta: without('clientInfo') }) }],
    ['whatever session it names', withHeaders(list, { 'mcp-session-id': 'none' })],
    [
      'when mirrored arguments agree',
      mirrored({ region: 'eu', deep: { count: 42 } }, { 'mcp-param-region': 'eu', 'mcp-param-count': '42.0' }),
    ],
    [
      'when a mirrored argument is Base64',
      mirrored({ region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8=?=' }),
    ],
    [
      'when a header is half a sentinel and meant literally',
      mirrored({ region: '=?base64?SGVsbG8=' }, { 'mcp-param-region': '=?base64?SGVsbG8=' }),
    ],
    ['when a mirrored argument is null', mirrored({ region: null }, {})],
    ['with a header for an argument that is not given', mirrored({}, { 'mcp-param-region': 'eu' })],
    ['when it accepts JSON alone', withHeaders(list, { accept: 'application/json' })],
    ['when it accepts anything', withHeaders(list, { accept: '*/*' })],
  ])('%s', async (_, request) => {
    await using one = await serve();
    const response = await raw(one.url, request);
    const answer = (await response.json()) as { result?: unknown };
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(answer.result).toBeTypeOf('object');
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(one.face.sessions()).toBe(0);
  });

  it('with a stream when it accepts nothing else', async () => {
    await using one = await serve();
    const response = await raw(one.url, withHeaders(list, { accept: 'text/event-stream' }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(await nextMessage(events(response))).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('with a stream when something comes before the answer, and without event ids', async () => {
    await using one = await serve();
    const request = modern('tools/call', { name: 'progress', arguments: { steps: 2 } }, 'q');
    const response = await raw(one.url, request);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const stream = events(response);
    const messages = [await nextMessage(stream), await nextMessage(stream), await nextMessage(stream)];
    expect(messages.map((message) => message?.method ?? message?.id)).toEqual([
      'notifications/progress',
      'notifications/progress',
      'q',
    ]);
    expect(messages.map((message) => message?.eventId)).toEqual([undefined, undefined, undefined]);
    expect(await nextMessage(stream)).toBeNull();
  });

  it('without what comes before, when it accepts no stream', async () => {
    await using one = await serve();
    const request = modern('tools/call', { name: 'progress', arguments: {} });
    const response = await raw(one.url, withHeaders(request, { accept: 'application/json' }));
    expect(await response.json()).toMatchObject({ result: { content: [{ text: 'done' }] } });
  });

  it('with the capabilities of its own envelope, under a name of its own', async () => {
    await using one = await serve();
    await (await raw(one.url, call)).text();
    await (await raw(one.url, call)).text();
    const [first, second] = one.endpoint.clients;
    expect(first).toMatchObject({
      era: 'modern',
      protocolVersion: '2026-07-28',
      info: { name: 'raw' },
      principal: 'local',
    });
    expect(first?.id).not.toBe(second?.id);
  });
});

describe('what is wrong in itself', () => {
  it.each([
    ['no JSON', '{"jsonrpc":', 400, -32700],
    ['nothing', '', 400, -32700],
    ['a number', '7', 400, -32600],
    ['null', 'null', 400, -32600],
    ['a message without jsonrpc', '{"id":1,"method":"ping"}', 400, -32600],
    ['a request whose id is null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
    ['an empty batch of a modern client', '[]', 400, -32600],
  ])('is refused: %s', async (_, body, status, code) => {
    await using one = await serve();
    const response = await raw(one.url, { body, headers: { 'mcp-protocol-version': '2026-07-28' } });
    const { error } = (await response.json()) as { error: { code: number } };
    expect([response.status, error.code]).toEqual([status, code]);
  });

  it.each([
    ['GET', 405],
    ['DELETE', 405],
    ['PUT', 405],
  ])('is refused: %s of a modern client', async (method, status) => {
    await using one = await serve();
    const response = await raw(one.url, { method, headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect([response.status, response.headers.get('allow')?.includes('POST')]).toEqual([status, true]);
  });

  it('is refused: a body of another type, which a web page could send without asking', async () => {
    await using one = await serve();
    const response = await raw(one.url, {
      body: list.body,
      headers: { ...list.headers, 'content-type': 'text/plain' },
    });
    expect(response.status).toBe(415);
  });

  it('is refused: a client that accepts neither form', async () => {
    await using one = await serve();
    expect((await raw(one.url, withHeaders(list, { accept: 'text/html' }))).status).toBe(406);
  });

  it('is refused: a subscription of a client that accepts no stream', async () => {
    await using one = await serve();
    const request = withHeaders(modern('subscriptions/listen', { notifications: {} }), { accept: 'application/json' });
    expect((await raw(one.url, request)).status).toBe(406);
  });

  it('is taken and dropped: a notification', async () => {
    await using one = await serve();
    const body = rpc('notifications/cancelled', { requestId: 1, _meta: envelope() }, null);
    const response = await raw(one.url, { body, headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(one.endpoint.heard).toEqual([]);
  });

  it('shows no words of an unexpected error', async () => {
    await using one = await serve();
    const response = await raw(one.url, modern('tools/call', { name: 'break', arguments: {} }));
    const answer = await response.text();
    expect(JSON.parse(answer).error).toEqual({ code: -32603, message: 'Internal error' });
    expect(answer).not.toContain('secret');
  });
});

describe('the end of a modern connection', () => {
  it('takes its request back', async () => {
    await using one = await serve();
    const abort = new AbortController();
    const response = raw(one.url, { ...modern('tools/call', { name: 'wait', arguments: {} }), signal: abort.signal });
    await until(() => one.endpoint.waiting.length === 1);
    abort.abort();
    await expect(response).rejects.toThrow();
    await until(() => one.endpoint.aborted.length === 1);
  });

  it('takes its request back when it is streaming', async () => {
    await using one = await serve();
    const abort = new AbortController();
    const request = modern('tools/call', { name: 'wait', arguments: { first: true } });
    const response = await raw(one.url, { ...request, signal: abort.signal });
    await nextMessage(events(response));
    abort.abort();
    await until(() => one.endpoint.aborted.length === 1);
  });

  it('ends a subscription', async () => {
    await using one = await serve();
    const abort = new AbortController();
    const request = modern('subscriptions/listen', { notifications: { toolsListChanged: true } }, 'sub');
    const response = await raw(one.url, { ...request, signal: abort.signal });
    expect(await nextMessage(events(response))).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
    abort.abort();
    await until(() => one.endpoint.aborted.length === 1);
  });

  it('crosses nothing when two clients use the same id', async () => {
    await using one = await serve();
    const both = ['a', 'b'].map((name) => modern('tools/call', { name: 'echo', arguments: { name } }));
    const answers = await Promise.all(both.map(async (request) => (await raw(one.url, request)).json()));
    expect(answers).toMatchObject([
      { id: 1, result: { content: [{ text: '{"name":"a"}' }] } },
      { id: 1, result: { content: [{ text: '{"name":"b"}' }] } },
    ]);
  });
});

describe('a subscription', () => {
  it('is kept alive by comments while nothing happens', async () => {
    await using one = await serve({ keepAlive: 10 });
    const response = await raw(one.url, modern('subscriptions/listen', { notifications: {} }));
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!/\n:\n\n.*:\n\n/s.test(seen)) seen += (await reader.read()).value;
    await reader.cancel();
  });

  it('ends with a result when the gateway goes away', async () => {
    await using one = await serve();
    const response = await raw(one.url, modern('subscriptions/listen', { notifications: {} }, 'sub'));
    const stream = events(response);
    await nextMessage(stream);
    one.face.close();
    expect(await nextMessage(stream)).toMatchObject({
      id: 'sub',
      result: { resultType: 'complete', _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } },
    });
    expect(await nextMessage(stream)).toBeNull();
  });

  it('is cut off when its client does not read, so that it can not fill our memory', async () => {
    await using one = await serve({ maxUnread: 64 * 1024 });
    const abort = new AbortController();
    const response = await raw(one.url, {
      ...modern('subscriptions/listen', { notifications: {} }),
      signal: abort.signal,
    });
    const listening = one.endpoint.waiting[0]!;
    while (one.endpoint.aborted.length === 0) {
      listening.notify('notifications/resources/updated', { pad: 'x'.repeat(64 * 1024) });
      await new Promise(setImmediate);
    }
    await expect(response.text()).rejects.toThrow();
  });
});

describe('a gateway that goes away', () => {
  it('answers what is open, refuses what is new', async () => {
    await using one = await serve();
    const open = raw(one.url, modern('tools/call', { name: 'wait', arguments: {} }));
    await until(() => one.endpoint.waiting.length === 1);
    one.face.close();
    expect(await (await open).json()).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(one.endpoint.aborted).toEqual(['wait']);
    const refused = await raw(one.url, { ...list, headers: { ...list.headers, accept: BOTH } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  });
});
