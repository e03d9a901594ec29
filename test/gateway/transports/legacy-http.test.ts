import { describe, expect, it } from 'vitest';
import {
  createStreamableHttp,
  type StreamableHttpOptions,
} from '../../../src/gateway/mcp/transports/streamable-http.ts';
import { createFakeEndpoint, eventually, quiet, until } from './fake-endpoint.ts';
import { events, initialize, nextMessage, openSession, raw, rpc, type SseEvent } from './raw-http.ts';
import { serveFace } from './serve-face.ts';

async function serve(options: Partial<StreamableHttpOptions> = {}) {
  const endpoint = createFakeEndpoint();
  const face = createStreamableHttp({ log: quiet, ...options });
  const served = await serveFace(face, endpoint);
  return {
    endpoint,
    face,
    url: served.url,
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

const call = (name: string, given: object = {}, id: string | number = 1) =>
  rpc('tools/call', { name, arguments: given }, id);
const read = async (response: Response) => [response.status, await response.json()] as const;
const listen = (url: string, headers: Record<string, string>, signal?: AbortSignal) =>
  raw(url, { method: 'GET', headers, ...(signal && { signal }) });

describe('a session', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])('is opened in revision %s', async (version) => {
    await using one = await serve();
    const response = await raw(one.url, { body: initialize(version) });
    expect(response.headers.get('mcp-session-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toMatchObject({ id: 1, result: { protocolVersion: version } });
    expect(one.endpoint.clients[0]).toMatchObject({
      era: 'legacy',
      protocolVersion: version,
      info: { name: 'raw' },
      capabilities: { elicitation: {} },
      principal: 'local',
    });
  });

  it('is opened in the newest revision when the client asks for an unknown one', async () => {
    await using one = await serve();
    const [, answer] = await read(await raw(one.url, { body: initialize('1999-01-01') }));
    expect(answer).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
  });

  it('does not tell its secret to the endpoint', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    expect(one.endpoint.clients[0]?.id).not.toContain(headers['mcp-session-id']);
  });

  it('is not opened by an initialize that fails', async () => {
    await using one = await serve();
    one.endpoint.handle = async () => Promise.reject(new Error('no'));
    const response = await raw(one.url, { body: initialize() });
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: -32603 } });
    expect([one.face.sessions(), one.endpoint.left.length]).toEqual([0, 1]);
  });

  it('is needed for everything else', async () => {
    await using one = await serve();
    expect((await raw(one.url, { body: rpc('tools/list') })).status).toBe(400);
    expect((await raw(one.url, { body: rpc('notifications/initialized', {}, null) })).status).toBe(400);
    expect((await raw(one.url, { method: 'GET' })).status).toBe(400);
    expect((await raw(one.url, { method: 'DELETE' })).status).toBe(400);
  });

  it('is unknown when it never was, so that the client starts anew', async () => {
    await using one = await serve();
    const headers = { 'mcp-session-id': 'never' };
    expect((await raw(one.url, { body: rpc('tools/list'), headers })).status).toBe(404);
    expect((await raw(one.url, { method: 'GET', headers })).status).toBe(404);
    expect((await raw(one.url, { method: 'DELETE', headers })).status).toBe(404);
  });

  it('ends by DELETE, which the endpoint hears', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    expect((await raw(one.url, { method: 'DELETE', headers })).status).toBe(200);
    expect((await raw(one.url, { body: rpc('tools/list'), headers })).status).toBe(404);
    expect(one.endpoint.left).toEqual(one.endpoint.clients);
    expect(one.face.sessions()).toBe(0);
  });

  it('answers what is open when it ends', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const open = raw(one.url, { body: call('wait'), headers });
    await until(() => one.endpoint.waiting.length === 1);
    await raw(one.url, { method: 'DELETE', headers });
    expect(await (await open).json()).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(one.endpoint.aborted).toEqual(['wait']);
  });

  it('belongs to the principal that opened it', async () => {
    await using one = await serve();
    const headers = await openSession(one.url, '2025-11-25', { 'x-principal': 'token:1' });
    const theirs = { ...headers, 'x-principal': 'token:2' };
    expect((await raw(one.url, { body: rpc('tools/list'), headers: theirs })).status).toBe(404);
    expect((await raw(one.url, { method: 'DELETE', headers: theirs })).status).toBe(404);
    expect((await raw(one.url, { body: rpc('tools/list'), headers })).status).toBe(200);
  });

  it('belongs to the endpoint where it was opened', async () => {
    const [here, there] = [createFakeEndpoint(), createFakeEndpoint()];
    const face = createStreamableHttp({ log: quiet });
    await using served = await serveFace(face, (path) => (path === '/mcp' ? here : there));
    const headers = await openSession(served.url);
    const other = served.url.replace('/mcp', '/plugins/other/mcp');
    expect((await raw(other, { body: rpc('tools/list'), headers })).status).toBe(404);
    expect((await raw(other, { method: 'GET', headers })).status).toBe(404);
    expect((await raw(other, { method: 'DELETE', headers })).status).toBe(404);
    expect((await raw(served.url, { body: rpc('tools/list'), headers })).status).toBe(200);
    expect(there.clients).toEqual([]);
  });

  it('refuses a revision in the header that nobody knows', async () => {
    await using one = await serve();
    const headers = { ...(await openSession(one.url)), 'mcp-protocol-version': '1999-01-01' };
    expect((await raw(one.url, { body: rpc('tools/list'), headers })).status).toBe(400);
  });

  it('takes a client that leaves the header out', async () => {
    await using one = await serve();
    const { 'mcp-session-id': id } = await openSession(one.url);
    expect((await raw(one.url, { body: rpc('tools/list'), headers: { 'mcp-session-id': id } })).status).toBe(200);
  });

  it('makes room for another one when it is idle for longest', async () => {
    await using one = await serve({ maxSessions: 2 });
    const first = await openSession(one.url);
    const second = await openSession(one.url);
    await raw(one.url, { body: rpc('ping'), headers: first });
    await openSession(one.url);
    expect((await raw(one.url, { body: rpc('ping'), headers: second })).status).toBe(404);
    expect((await raw(one.url, { body: rpc('ping'), headers: first })).status).toBe(200);
  });

  it('is not pushed out while its stream is open', async () => {
    await using one = await serve({ maxSessions: 1 });
    const headers = await openSession(one.url);
    const abort = new AbortController();
    const stream = events(await listen(one.url, headers, abort.signal));
    expect((await raw(one.url, { body: initialize() })).status).toBe(503);
    abort.abort();
    await expect(async () => {
      while (await nextMessage(stream));
    }).rejects.toThrow();
    await eventually(async () => (await raw(one.url, { body: initialize() })).status === 200);
    expect(one.endpoint.left).toHaveLength(1);
  });

  it('is refused when all are in use', async () => {
    await using one = await serve({ maxSessions: 1 });
    const headers = await openSession(one.url);
    const open = raw(one.url, { body: call('wait'), headers });
    await until(() => one.endpoint.waiting.length === 1);
    const refused = await raw(one.url, { body: initialize() });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    one.endpoint.release();
    expect((await open).status).toBe(200);
  });

  it('ends with the face, and streams with it', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await listen(one.url, headers));
    one.face.close();
    expect(await nextMessage(stream)).toBeNull();
    expect(one.endpoint.left).toHaveLength(1);
  });
});

describe('messages of a session', () => {
  it('are answered as JSON when nothing comes before', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const response = await raw(one.url, { body: call('echo', { a: 1 }), headers });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: '{"a":1}' }] } });
  });

  it('are errors under status 200', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const [status, answer] = await read(await raw(one.url, { body: rpc('tools/mend'), headers }));
    expect([status, answer]).toMatchObject([200, { id: 1, error: { code: -32601 } }]);
  });

  it('are taken with 202 when they are notifications, and heard', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    for (const method of ['notifications/initialized', 'notifications/roots/list_changed']) {
      const response = await raw(one.url, { body: rpc(method, {}, null), headers });
      expect([response.status, await response.text()]).toEqual([202, '']);
    }
    expect(one.endpoint.heard.map(({ method }) => method)).toEqual(['notifications/roots/list_changed']);
  });

  it('may come in batches', async () => {
    await using one = await serve();
    const headers = await openSession(one.url, '2025-03-26');
    const body = [
      call('echo', {}, 'a'),
      rpc('notifications/x', {}, null),
      { no: 'message' },
      initialize(),
      call('echo', {}, 'b'),
    ];
    const [status, answers] = await read(await raw(one.url, { body, headers }));
    expect(status).toBe(200);
    expect((answers as { id: unknown; error?: { code: number } }[]).map(({ id, error }) => [id, error?.code])).toEqual([
      [null, -32600],
      [1, -32600],
      ['a', undefined],
      ['b', undefined],
    ]);
    expect(one.endpoint.heard).toHaveLength(1);
  });

  it('may come in a batch that needs no answer', async () => {
    await using one = await serve();
    const headers = await openSession(one.url, '2025-03-26');
    expect((await raw(one.url, { body: [rpc('notifications/x', {}, null)], headers })).status).toBe(202);
  });

  it.each([
    ['is empty', []],
    ['is too long', Array.from({ length: 101 }, (_, id) => rpc('ping', {}, id))],
  ])('are refused in a batch that %s', async (_, body) => {
    await using one = await serve();
    const headers = await openSession(one.url, '2025-03-26');
    expect(await read(await raw(one.url, { body, headers }))).toMatchObject([400, { error: { code: -32600 } }]);
  });

  it('get an answer each when two at once have the same id', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const first = raw(one.url, { body: call('wait'), headers });
    await until(() => one.endpoint.waiting.length === 1);
    expect(await (await raw(one.url, { body: call('echo', { b: 2 }), headers })).json()).toMatchObject({ id: 1 });
    one.endpoint.release();
    expect(await (await first).json()).toMatchObject({ id: 1, result: { content: [{ text: 'released' }] } });
  });

  it('do not cross between sessions that use the same ids', async () => {
    await using one = await serve();
    const [a, b] = [await openSession(one.url), await openSession(one.url)];
    const first = raw(one.url, { body: call('wait'), headers: a });
    const second = raw(one.url, { body: call('wait'), headers: b });
    await until(() => one.endpoint.waiting.length === 2);
    await raw(one.url, { body: rpc('notifications/cancelled', { requestId: 1 }, null), headers: b });
    expect((await second).status).toBe(202);
    expect(one.endpoint.aborted).toEqual(['wait']);
    one.endpoint.release();
    one.endpoint.release();
    expect(await (await first).json()).toMatchObject({ result: { content: [{ text: 'released' }] } });
  });

  it('that were taken back get no answer', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const streaming = await raw(one.url, { body: call('wait', { first: true }), headers });
    const stream = events(streaming);
    await nextMessage(stream);
    await raw(one.url, { body: rpc('notifications/cancelled', { requestId: 1 }, null), headers });
    expect(await nextMessage(stream)).toBeNull();
    expect(one.endpoint.aborted).toEqual(['wait']);
  });

  it('can not take initialize back', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const cancel = rpc('notifications/cancelled', { requestId: 1 }, null);
    expect((await raw(one.url, { body: cancel, headers })).status).toBe(202);
  });
});

describe('a question to the client', () => {
  const answer = (id: string, result: object) => ({ jsonrpc: '2.0', id, result });

  it('goes out on the stream of its request, and its answer finds it', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await raw(one.url, { body: call('ask'), headers }));
    const question = await nextMessage(stream);
    expect(question).toMatchObject({ id: 's1', method: 'elicitation/create', params: { message: 'name?' } });
    const taken = await raw(one.url, { body: answer('s1', { action: 'decline' }), headers });
    expect(taken.status).toBe(202);
    expect(await nextMessage(stream)).toMatchObject({ id: 1, result: { content: [{ text: '{"action":"decline"}' }] } });
  });

  it('is not answered by another session', async () => {
    await using one = await serve();
    const [mine, theirs] = [await openSession(one.url), await openSession(one.url)];
    const stream = events(await raw(one.url, { body: call('ask'), headers: mine }));
    await nextMessage(stream);
    expect((await raw(one.url, { body: answer('s1', { action: 'accept' }), headers: theirs })).status).toBe(202);
    await raw(one.url, { body: answer('s1', { action: 'cancel' }), headers: mine });
    expect(await nextMessage(stream)).toMatchObject({ result: { content: [{ text: '{"action":"cancel"}' }] } });
  });

  it('can be refused with an error', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await raw(one.url, { body: call('ask'), headers }));
    await nextMessage(stream);
    const error = { code: -1, message: 'No.', data: { why: 'busy' } };
    await raw(one.url, { body: { jsonrpc: '2.0', id: 's1', error }, headers });
    expect(await nextMessage(stream)).toMatchObject({ id: 1, error });
  });

  it('ends with its session', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await raw(one.url, { body: call('ask'), headers }));
    await nextMessage(stream);
    await raw(one.url, { method: 'DELETE', headers });
    expect(await nextMessage(stream)).toMatchObject({ id: 1, error: { code: -32603 } });
  });

  it('is withdrawn when its request is taken back', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await raw(one.url, { body: call('ask'), headers }));
    await nextMessage(stream);
    await raw(one.url, { body: rpc('notifications/cancelled', { requestId: 1 }, null), headers });
    expect(await nextMessage(stream)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 's1' } });
    expect(await nextMessage(stream)).toBeNull();
  });

  it('can not reach a client that accepts no stream and has none', async () => {
    await using one = await serve();
    const headers = { ...(await openSession(one.url)), accept: 'application/json' };
    const response = await raw(one.url, { body: call('ask'), headers });
    expect(await response.json()).toMatchObject({
      error: { code: -32603, message: expect.stringContaining('stream') },
    });
  });

  it('reaches a client that accepts no stream on its standing one', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const standing = events(await listen(one.url, headers));
    await standing.next();
    const response = raw(one.url, { body: call('ask'), headers: { ...headers, accept: 'application/json' } });
    expect(await nextMessage(standing)).toMatchObject({ id: 's1', method: 'elicitation/create' });
    await raw(one.url, { body: answer('s1', {}), headers });
    expect(await (await response).json()).toMatchObject({ result: { content: [{ text: '{}' }] } });
  });
});

describe('the standing stream', () => {
  const tell = (methods: string[]) => call('tell', { methods });
  const methodsOf = async (stream: AsyncGenerator<SseEvent>, count: number) => {
    const found: string[] = [];
    while (found.length < count) found.push((await nextMessage(stream))!.method);
    return found;
  };

  it('carries what belongs to no request', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const stream = events(await listen(one.url, headers));
    await raw(one.url, { body: tell(['a', 'b']), headers });
    expect(await methodsOf(stream, 2)).toEqual(['a', 'b']);
  });

  it('brings what was told before it was opened, each once', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    await raw(one.url, { body: tell(['a', 'b', 'a']), headers });
    const stream = events(await listen(one.url, headers));
    await raw(one.url, { body: tell(['c']), headers });
    expect(await methodsOf(stream, 3)).toEqual(['a', 'b', 'c']);
  });

  it('names an id at once, with the pause before a client shall come back', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const { value } = await events(await listen(one.url, headers)).next();
    expect(value).toEqual({ id: '0-0', retry: '1000', data: '' });
  });

  it('has no event without data for clients that would choke on it', async () => {
    await using one = await serve();
    const headers = await openSession(one.url, '2025-06-18');
    const stream = events(await listen(one.url, headers));
    await raw(one.url, { body: tell(['a']), headers });
    const { value } = await stream.next();
    expect(value).toMatchObject({ id: '0-1', event: 'message', data: expect.stringContaining('"a"') });
  });

  it('is taken up after the last event that the client has', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const abort = new AbortController();
    const before = events(await listen(one.url, headers, abort.signal));
    await raw(one.url, { body: tell(['a', 'b', 'c']), headers });
    const first = await nextMessage(before);
    abort.abort();
    await expect(methodsOf(before, 3)).rejects.toThrow();
    await raw(one.url, { body: tell(['d']), headers });
    const after = events(await listen(one.url, { ...headers, 'last-event-id': first!.eventId }));
    expect(await methodsOf(after, 3)).toEqual(['b', 'c', 'd']);
  });

  it('moves to the newest connection', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const older = events(await listen(one.url, headers));
    const newer = events(await listen(one.url, headers));
    await raw(one.url, { body: tell(['a']), headers });
    expect(await methodsOf(newer, 1)).toEqual(['a']);
    expect(await nextMessage(older)).toBeNull();
  });

  it('needs a client that accepts one', async () => {
    await using one = await serve();
    const headers = { ...(await openSession(one.url)), accept: 'application/json' };
    expect((await listen(one.url, headers)).status).toBe(406);
  });

  it('keeps a bounded number of messages for a client that is away', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const client = one.endpoint.clients[0]!;
    for (let count = 0; count < 1000; count += 1) client.notify('n', { count, pad: 'x'.repeat(10_000) });
    client.notify('last', {});
    const stream = events(await listen(one.url, headers));
    const kept: number[] = [];
    for (let next = await nextMessage(stream); next?.method === 'n'; next = await nextMessage(stream))
      kept.push(next.params.count);
    expect(kept.length).toBeLessThan(257);
    expect(kept.at(-1)).toBe(999);
  });
});

describe('a stream of a request whose connection broke', () => {
  const start = async (one: Awaited<ReturnType<typeof serve>>, headers: Record<string, string>) => {
    const abort = new AbortController();
    const body = call('wait', { first: true });
    const stream = events(await raw(one.url, { body, headers, signal: abort.signal }));
    const primer = (await stream.next()).value as SseEvent;
    const first = await nextMessage(stream);
    return { abort, stream, primer, first };
  };

  it('is taken up where it was, and brings the answer', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const { abort, first } = await start(one, headers);
    abort.abort();
    const resumed = events(await listen(one.url, { ...headers, 'last-event-id': first!.eventId }));
    one.endpoint.release();
    expect(await nextMessage(resumed)).toMatchObject({ id: 1, result: { content: [{ text: 'released' }] } });
    expect(await nextMessage(resumed)).toBeNull();
    expect(one.endpoint.aborted).toEqual([]);
  });

  it('keeps the answer that came meanwhile', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const { abort, stream, primer } = await start(one, headers);
    abort.abort();
    await expect(nextMessage(stream)).rejects.toThrow();
    // The server hears of a broken connection before anything that the client sends afterwards.
    await raw(one.url, { body: rpc('ping'), headers });
    one.endpoint.release();
    await raw(one.url, { body: rpc('ping'), headers });
    const resumed = events(await listen(one.url, { ...headers, 'last-event-id': primer.id! }));
    expect((await nextMessage(resumed))?.method).toBe('notifications/progress');
    expect(await nextMessage(resumed)).toMatchObject({ id: 1, result: {} });
    expect(await nextMessage(resumed)).toBeNull();
  });

  it('is not another session’s to take up', async () => {
    await using one = await serve();
    const [mine, theirs] = [await openSession(one.url), await openSession(one.url)];
    const { first } = await start(one, mine);
    const response = await listen(one.url, { ...theirs, 'last-event-id': first!.eventId });
    expect(response.status).toBe(400);
    one.endpoint.release();
  });

  it('is given up when nobody comes, and its request with it', async () => {
    await using one = await serve({ resumeGrace: 20 });
    const headers = await openSession(one.url);
    const { abort, first } = await start(one, headers);
    abort.abort();
    await until(() => one.endpoint.aborted.length === 1);
    expect((await listen(one.url, { ...headers, 'last-event-id': first!.eventId })).status).toBe(400);
  });

  it('brings its answer again, should that have been lost on the way', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const { stream, first } = await start(one, headers);
    one.endpoint.release();
    const answer = await nextMessage(stream);
    expect(await nextMessage(stream)).toBeNull();
    const again = events(await listen(one.url, { ...headers, 'last-event-id': first!.eventId }));
    expect(await nextMessage(again)).toEqual(answer);
    expect(await nextMessage(again)).toBeNull();
  });

  it('is forgotten for newer ones', async () => {
    await using one = await serve();
    const headers = await openSession(one.url);
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) {
      const stream = events(await raw(one.url, { body: call('progress', { steps: 1 }), headers }));
      ids.push((await nextMessage(stream))!.eventId);
      while (await nextMessage(stream));
    }
    const statuses = await Promise.all(
      ids.map(async (id) => {
        const response = await listen(one.url, { ...headers, 'last-event-id': id });
        await response.text();
        return response.status;
      }),
    );
    expect(statuses).toEqual([...Array(4).fill(400), ...Array(8).fill(200)]);
  });
});

describe('a request of a closed connection that had no stream yet', () => {
  const start = async (one: Awaited<ReturnType<typeof serve>>) => {
    const headers = await openSession(one.url);
    const abort = new AbortController();
    const response = raw(one.url, { body: call('wait'), headers, signal: abort.signal });
    await until(() => one.endpoint.waiting.length === 1);
    abort.abort();
    await expect(response).rejects.toThrow();
    return headers;
  };

  it('goes on, because that is no cancellation', async () => {
    await using one = await serve();
    const headers = await start(one);
    await raw(one.url, { body: rpc('ping'), headers });
    expect(one.endpoint.aborted).toEqual([]);
    expect(one.endpoint.waiting).toHaveLength(1);
  });

  it('is given up after a while', async () => {
    await using one = await serve({ resumeGrace: 20 });
    await start(one);
    await until(() => one.endpoint.aborted.length === 1);
  });
});
