import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createLegacySse, type LegacySseOptions } from '../../../src/gateway/mcp/transports/sse.ts';
import { createFakeEndpoint, quiet, until } from './fake-endpoint.ts';
import { events, initialize, nextMessage, raw, rpc } from './raw-http.ts';
import { serveFace } from './serve-face.ts';

async function serve(options: Partial<LegacySseOptions> = {}) {
  const endpoint = createFakeEndpoint();
  const face = createLegacySse({ log: quiet, ...options });
  const served = await serveFace(face, endpoint);
  const url = served.url.replace('/mcp', '/sse');
  return {
    endpoint,
    face,
    url,
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
    async connect(query = '', headers: Record<string, string> = {}) {
      const abort = new AbortController();
      const response = await raw(url + query, { method: 'GET', headers, signal: abort.signal });
      const stream = events(response);
      const { value } = await stream.next();
      expect(value.event).toBe('endpoint');
      const address = value.data as string;
      const post = new URL(address, url).href;
      return {
        address,
        post,
        stream,
        abort,
        send: (body: unknown) => raw(post, { body, headers }),
      };
    },
  };
}

describe('HTTP+SSE', () => {
  it('names the address of its POSTs, whole and with the query of the stream', async () => {
    await using one = await serve();
    const { address } = await one.connect('?key=k');
    expect(address).toMatch(/^\/sse\?key=k&sessionId=[0-9a-f-]{36}$/);
  });

  it('takes each message with 202 and answers on the stream', async () => {
    await using one = await serve();
    const { send, stream } = await one.connect();
    const taken = await send(initialize('2024-11-05'));
    expect([taken.status, await taken.text()]).toEqual([202, 'Accepted']);
    expect(await nextMessage(stream)).toMatchObject({ id: 1, result: { protocolVersion: '2024-11-05' } });
    await send(rpc('tools/call', { name: 'echo', arguments: {} }, 'e'));
    expect(await nextMessage(stream)).toMatchObject({ id: 'e', result: {} });
    expect(one.face.sessions()).toBe(1);
  });

  it('takes so many messages at once and no more', async () => {
    await using one = await serve();
    const client = await one.connect();
    const notices = Array.from({ length: 101 }, () => rpc('notifications/vendor/x', {}, null));
    expect((await client.send(notices)).status).toBe(400);
    expect(one.endpoint.heard).toEqual([]);
    expect((await client.send(notices.slice(1))).status).toBe(202);
    await until(() => one.endpoint.heard.length === 100);
  });

  it('gives nothing to its endpoint when it ended while a message came', async () => {
    await using one = await serve();
    const client = await one.connect();
    const body = JSON.stringify(rpc('tools/call', { name: 'wait' }));
    const { hostname, port } = new URL(client.post);
    const slow = connect(Number(port), hostname);
    slow.write(
      `POST ${client.address} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    // Its head is read: whoever comes later is answered behind it.
    await raw(client.post, { body: rpc('ping') });
    client.abort.abort();
    await until(() => one.endpoint.left.length === 1);
    const before = one.endpoint.clients.length;
    slow.end(body);
    expect(await text(slow)).toContain(' 202 ');
    expect([one.endpoint.clients.length, one.endpoint.waiting]).toEqual([before, []]);
  });

  it('carries what belongs to no request', async () => {
    await using one = await serve();
    const { send, stream } = await one.connect();
    await send(rpc('tools/call', { name: 'tell', arguments: { methods: ['notifications/x'] } }));
    expect(await nextMessage(stream)).toMatchObject({ method: 'notifications/x' });
  });

  it('ends with its stream, and takes everything back', async () => {
    await using one = await serve();
    const { abort, post, send } = await one.connect();
    await send(rpc('tools/call', { name: 'wait', arguments: {} }));
    await until(() => one.endpoint.waiting.length === 1);
    abort.abort();
    await until(() => one.face.sessions() === 0);
    expect([one.endpoint.aborted, one.endpoint.left.length]).toEqual([['wait'], 1]);
    expect((await raw(post, { body: rpc('ping') })).status).toBe(404);
  });

  it('belongs to the principal that opened it', async () => {
    await using one = await serve();
    const { post } = await one.connect('', { 'x-principal': 'token:1' });
    expect((await raw(post, { body: rpc('ping'), headers: { 'x-principal': 'token:2' } })).status).toBe(404);
  });

  it.each([
    ['no session', '', rpc('ping'), 400],
    ['an unknown session', '?sessionId=never', rpc('ping'), 404],
  ])('refuses a POST with %s', async (_, query, body, status) => {
    await using one = await serve();
    expect((await raw(one.url + query, { body })).status).toBe(status);
  });

  it.each([
    ['no JSON', '{', -32700],
    ['no message', '7', -32600],
  ])('refuses a POST with %s', async (_, body, code) => {
    await using one = await serve();
    const { send } = await one.connect();
    const response = await send(body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code } }]);
  });

  it('refuses more streams than it may have', async () => {
    await using one = await serve({ maxSessions: 1 });
    await one.connect();
    expect((await raw(one.url, { method: 'GET' })).status).toBe(503);
  });

  it('answers what is open and ends its streams when the gateway goes away', async () => {
    await using one = await serve();
    const { send, stream } = await one.connect();
    await send(rpc('tools/call', { name: 'wait', arguments: {} }, 'w'));
    await until(() => one.endpoint.waiting.length === 1);
    one.face.close();
    expect(await nextMessage(stream)).toMatchObject({ id: 'w', error: { code: -32603 } });
    expect(await nextMessage(stream)).toBeNull();
    expect((await raw(one.url, { method: 'GET' })).status).toBe(503);
  });
});
