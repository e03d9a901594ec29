import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type StdioOptions, serveStdio } from '../../../src/gateway/mcp/transports/stdio.ts';
import { createFakeEndpoint, quiet, until } from './fake-endpoint.ts';
import { envelope, initialize, rpc } from './raw-http.ts';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
}

function serve(options: Partial<StdioOptions> = {}) {
  const endpoint = createFakeEndpoint();
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: (Message | Message[])[] = [];
  createInterface({ input: output }).on('line', (line) => messages.push(JSON.parse(line)));
  let over = false;
  const served = serveStdio({ endpoint, input, output, log: quiet, ...options }).then(() => {
    over = true;
  });
  const send = (message: object | string) =>
    input.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  return {
    endpoint,
    input,
    output,
    served,
    messages,
    isOver: () => over,
    send,
    /** The answer to a message, which must be the next one to that id. */
    async ask(message: { readonly id?: unknown }) {
      const from = messages.length;
      send(message);
      const answer = () =>
        messages.slice(from).find((one): one is Message => !Array.isArray(one) && one.id === message.id);
      await until(() => answer() !== undefined);
      return answer()!;
    },
  };
}

const call = (name: string, given: object = {}, id: string | number = 1) =>
  rpc('tools/call', { name, arguments: given }, id);
const modern = (method: string, params: object = {}, id: string | number = 1) =>
  rpc(method, { ...params, _meta: envelope() }, id);

describe('a pipe', () => {
  it('serves a legacy client', async () => {
    const one = serve();
    expect(await one.ask(initialize())).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
    one.send(rpc('notifications/initialized', {}, null));
    expect(await one.ask(call('echo', { a: 1 }, 'x'))).toMatchObject({ result: { content: [{ text: '{"a":1}' }] } });
    one.input.end();
    await one.served;
    expect(one.endpoint.left).toEqual(one.endpoint.clients);
    expect(one.endpoint.clients[0]).toMatchObject({ era: 'legacy', info: { name: 'raw' }, principal: 'stdio' });
  });

  it('serves a modern client', async () => {
    const one = serve();
    expect(await one.ask(modern('server/discover'))).toMatchObject({ result: { supportedVersions: ['2026-07-28'] } });
    expect(await one.ask(modern('tools/list'))).toMatchObject({ result: { resultType: 'complete' } });
    one.input.end();
    await one.served;
    expect(one.endpoint.clients.map(({ era, id }) => [era, id === one.endpoint.left[0]?.id])).toEqual([
      ['modern', true],
      ['modern', true],
    ]);
  });

  it('takes initialize after server/discover, and modern requests after that', async () => {
    const one = serve();
    await one.ask(modern('server/discover'));
    expect(await one.ask(initialize('2025-06-18'))).toMatchObject({ result: { protocolVersion: '2025-06-18' } });
    expect(await one.ask(call('echo'))).not.toHaveProperty('result.resultType');
    expect(await one.ask(modern('tools/list'))).toHaveProperty('result.resultType');
    one.input.end();
    await one.served;
  });

  it('takes what comes before initialize: a ping, a notification, a bare discover, a list', async () => {
    const one = serve();
    one.send(rpc('notifications/roots/list_changed', {}, null));
    expect(await one.ask(rpc('ping'))).toMatchObject({ result: {} });
    expect(await one.ask(rpc('server/discover'))).toHaveProperty('result.supportedVersions');
    expect(await one.ask(rpc('tools/list'))).toHaveProperty('result.tools');
    expect(await one.ask(initialize())).toHaveProperty('result.serverInfo');
    one.input.end();
    await one.served;
  });

  it.each([
    ['a revision that is none', rpc('tools/list', { _meta: envelope('2099-01-01') }), -32022],
    [
      'an envelope without capabilities',
      rpc('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }),
      -32602,
    ],
    ['a method that the revision removed', modern('logging/setLevel', { level: 'info' }), -32601],
    ['what is no request', { jsonrpc: '1.0', id: 1, method: 'ping' }, -32600],
  ])('refuses %s', async (_, message, code) => {
    const one = serve();
    expect(await one.ask(message)).toMatchObject({ error: { code } });
    one.input.end();
    await one.served;
  });

  it('carries progress before the answer, and questions both ways', async () => {
    const one = serve();
    await one.ask(initialize());
    await one.ask(call('progress', { steps: 2 }, 'p'));
    expect(one.messages.slice(-3).map((message) => (message as Message).method)).toEqual([
      'notifications/progress',
      'notifications/progress',
      undefined,
    ]);
    one.send(call('ask', {}, 'q'));
    await until(() => one.messages.some((message) => (message as Message).id === 's1'));
    one.send({ jsonrpc: '2.0', id: 's1', result: { action: 'accept' } });
    await until(() => one.messages.some((message) => (message as Message).id === 'q'));
    expect(one.messages.at(-1)).toMatchObject({ result: { content: [{ text: '{"action":"accept"}' }] } });
    one.input.end();
    await one.served;
  });

  it.each([
    ['legacy', call('wait', {}, 'w')],
    ['modern', modern('tools/call', { name: 'wait', arguments: {} }, 'w')],
    ['modern, of a subscription', modern('subscriptions/listen', { notifications: {} }, 'w')],
  ])('takes requests back by notification: %s', async (_, request) => {
    const one = serve();
    one.send(request);
    await until(() => one.endpoint.waiting.length === 1);
    one.send(rpc('notifications/cancelled', { requestId: 'w' }, null));
    await until(() => one.endpoint.aborted.length === 1);
    await one.ask(rpc('ping', {}, 'after'));
    expect(one.messages.filter((message) => (message as Message).id === 'w')).toEqual([]);
    one.input.end();
    await one.served;
  });

  it('does not let initialize be taken back', async () => {
    const one = serve();
    const { handle } = one.endpoint;
    let go!: () => void;
    const slow = new Promise<void>((resolve) => {
      go = resolve;
    });
    one.endpoint.handle = async (request) => {
      await slow;
      return handle(request);
    };
    one.send(initialize());
    one.send(rpc('notifications/cancelled', { requestId: 1 }, null));
    setImmediate(go);
    await until(() => one.messages.length === 1);
    expect(one.messages[0]).toMatchObject({ id: 1, result: { serverInfo: { name: 'fake' } } });
    one.input.end();
    await one.served;
  });

  it('answers a batch as one', async () => {
    const one = serve();
    one.send(JSON.stringify([rpc('ping', {}, 1), rpc('notifications/x', {}, null), rpc('ping', {}, 2)]));
    await until(() => one.messages.length === 1);
    expect(one.messages[0]).toMatchObject([{ id: 1 }, { id: 2 }]);
    one.input.end();
    await one.served;
  });

  it('answers broken and oversized lines that say whom, and goes on', async () => {
    const one = serve({ maxMessage: 2048 });
    one.send('{"jsonrpc":"2.0","id":"broken","method":"ping",');
    one.send('what is this?');
    one.send('');
    one.send(call('echo', { pad: 'x'.repeat(4096) }, 'large'));
    await one.ask(rpc('ping', {}, 'after'));
    expect(one.messages.map((message) => [(message as Message).id, (message as Message).error?.code])).toEqual([
      ['broken', -32700],
      ['large', -32600],
      ['after', undefined],
    ]);
    one.input.end();
    await one.served;
  });

  it('fails a question whose answer is an error that can not be told', async () => {
    const one = serve();
    one.send(call('ask', {}, 'q'));
    await until(() => one.messages.length === 1);
    one.send({ jsonrpc: '2.0', id: 's1', error: { code: 1, message: { toString: 1 } } });
    await until(() => one.messages.length === 2);
    expect(one.messages[1]).toMatchObject({ id: 'q', error: { code: 1 } });
    one.input.end();
    await one.served;
  });

  it('fails a question whose answer is too long to read', async () => {
    const one = serve({ maxMessage: 2048 });
    one.send(call('ask', {}, 'q'));
    await until(() => one.messages.length === 1);
    one.send({ jsonrpc: '2.0', id: 's1', result: { pad: 'x'.repeat(4096) } });
    await until(() => one.messages.length === 2);
    expect(one.messages[1]).toMatchObject({ id: 'q', error: { code: -32600 } });
    one.input.end();
    await one.served;
  });
});

describe('the end of a pipe', () => {
  it('waits for what is open', async () => {
    const one = serve();
    one.send(call('wait'));
    one.input.end();
    await until(() => one.endpoint.waiting.length === 1);
    expect(one.isOver()).toBe(false);
    one.endpoint.release();
    await one.served;
    expect(one.messages).toMatchObject([{ id: 1, result: { content: [{ text: 'released' }] } }]);
  });

  it('does not wait for ever', async () => {
    const one = serve({ drain: 20 });
    one.send(call('wait'));
    one.input.end();
    await one.served;
    expect(one.messages).toMatchObject([{ id: 1, error: { code: -32603 } }]);
    expect(one.endpoint.aborted).toEqual(['wait']);
  });

  it('ends subscriptions with a result', async () => {
    const one = serve();
    one.send(modern('subscriptions/listen', { notifications: {} }, 'sub'));
    await until(() => one.messages.length === 1);
    one.input.end();
    await one.served;
    expect(one.messages[1]).toMatchObject({ id: 'sub', result: { resultType: 'complete' } });
  });

  it('comes by the signal, which answers what is open', async () => {
    const abort = new AbortController();
    const one = serve({ signal: abort.signal });
    one.send(call('wait'));
    await until(() => one.endpoint.waiting.length === 1);
    abort.abort();
    await one.served;
    await until(() => one.messages.length === 1);
    expect(one.messages).toMatchObject([{ id: 1, error: { code: -32603 } }]);
    expect(one.endpoint.left).toHaveLength(1);
  });

  it('comes at once when the signal was aborted before', async () => {
    await serve({ signal: AbortSignal.abort() }).served;
  });

  it('comes when nobody reads any more', async () => {
    const one = serve();
    one.send(call('wait'));
    await until(() => one.endpoint.waiting.length === 1);
    one.output.destroy();
    await one.served;
    expect(one.endpoint.aborted).toEqual(['wait']);
  });

  it('comes when writing fails', async () => {
    const input = new PassThrough();
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const served = serveStdio({ endpoint: createFakeEndpoint(), input, output, log: quiet });
    input.write(`${JSON.stringify(rpc('ping'))}\n`);
    await served;
    input.write(`${JSON.stringify(rpc('ping'))}\n`);
  });
});

describe('a client that does not read', () => {
  it('is read from no more, and gets each notification once when it does', async () => {
    const endpoint = createFakeEndpoint();
    const input = new PassThrough();
    const written: string[] = [];
    let go!: () => void;
    const stalled = new Promise<void>((resolve) => {
      go = resolve;
    });
    const output = new Writable({
      highWaterMark: 1024,
      write: (chunk, _, done) => {
        written.push(String(chunk));
        void stalled.then(() => done());
      },
    });
    const served = serveStdio({ endpoint, input, output, log: quiet, maxUnread: 2048 });
    const send = (message: object) => input.write(`${JSON.stringify(message)}\n`);
    send(call('big', { size: 4096 }, 'big'));
    await until(() => input.isPaused());
    const client = endpoint.clients[0]!;
    for (let count = 0; count < 1000; count += 1) client.notify('notifications/tools/list_changed', undefined);
    for (let count = 0; count < 1000; count += 1)
      client.notify('notifications/message', { count, pad: 'x'.repeat(1000) });
    expect(output.writableLength).toBeLessThan(8192);
    send(call('echo', {}, 'later'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    go();
    await until(() => written.some((line) => line.includes('"later"')));
    expect(written.filter((line) => line.includes('list_changed'))).toHaveLength(1);
    expect(written.filter((line) => line.includes('notifications/message')).length).toBeLessThan(257);
    input.end();
    await served;
  });
});
