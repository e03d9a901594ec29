import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import type { McpHttpFace } from '../../../src/gateway/contracts.ts';
import { createLegacySse } from '../../../src/gateway/mcp/transports/sse.ts';
import { createStreamableHttp } from '../../../src/gateway/mcp/transports/streamable-http.ts';
import { createFakeEndpoint, quiet, until } from './fake-endpoint.ts';
import { serveFace } from './serve-face.ts';

const info = { name: 'sdk', version: '1' };

async function connect(face: McpHttpFace, kind: 'streamable' | 'sse', mode: 'legacy' | { readonly pin: string }) {
  const endpoint = createFakeEndpoint();
  const served = await serveFace(face, endpoint);
  const client = new Client(info, {
    capabilities: { elicitation: {} },
    versionNegotiation: { mode },
  });
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
  const heard: string[] = [];
  client.fallbackNotificationHandler = async ({ method }) => void heard.push(method);
  const url = new URL(served.url);
  const transport = kind === 'sse' ? new SSEClientTransport(url) : new StreamableHTTPClientTransport(url);
  await client.connect(transport);
  return {
    client,
    endpoint,
    heard,
    transport,
    async [Symbol.asyncDispose]() {
      await client.close();
      await served[Symbol.asyncDispose]();
      expect(served.errors).toEqual([]);
    },
  };
}

const WAYS = [
  ['2025-11-25 over Streamable HTTP', () => createStreamableHttp({ log: quiet }), 'streamable', 'legacy'],
  ['2026-07-28 over Streamable HTTP', () => createStreamableHttp({ log: quiet }), 'streamable', { pin: '2026-07-28' }],
  ['2025-11-25 over HTTP+SSE', () => createLegacySse({ log: quiet }), 'sse', 'legacy'],
] as const;

describe.each(WAYS)('the official client, %s', (_, create, kind, mode) => {
  it('lists and calls tools', async () => {
    await using one = await connect(create(), kind, mode);
    const { tools } = await one.client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    const result = await one.client.callTool({ name: 'echo', arguments: { a: 'ä\u2028' } });
    expect(result.content).toEqual([{ type: 'text', text: '{"a":"ä\u2028"}' }]);
  });

  it('hears progress before the result', async () => {
    await using one = await connect(create(), kind, mode);
    const progress: number[] = [];
    const result = await one.client.callTool(
      { name: 'progress', arguments: { steps: 3 } },
      { onprogress: (step) => progress.push(step.progress) },
    );
    expect(result.content).toEqual([{ type: 'text', text: 'done' }]);
    expect(progress).toEqual([1, 2, 3]);
  });

  it('takes a call back, and the endpoint hears of it', async () => {
    await using one = await connect(create(), kind, mode);
    const abort = new AbortController();
    const call = one.client.callTool({ name: 'wait', arguments: {} }, { signal: abort.signal });
    await until(() => one.endpoint.waiting.length === 1);
    abort.abort();
    await expect(call).rejects.toThrow();
    await until(() => one.endpoint.aborted.length === 1);
    await one.client.callTool({ name: 'echo', arguments: {} });
  });

  it('gets errors with code and data as they are', async () => {
    await using one = await connect(create(), kind, mode);
    const call = one.client.callTool({ name: 'refuse', arguments: {} });
    await expect(call).rejects.toMatchObject({ code: -32042, data: { why: 'so' } });
  });

  it('gets eight megabytes in one result', async () => {
    await using one = await connect(create(), kind, mode);
    const { content } = await one.client.callTool({ name: 'big', arguments: { size: 8 * 1024 * 1024 } });
    expect((content[0] as { text: string }).text).toHaveLength(8 * 1024 * 1024);
  });
});

describe.each(WAYS.filter(([, , , mode]) => mode === 'legacy'))('the official client, %s', (_, create, kind, mode) => {
  it('answers a question in the middle of its call', async () => {
    await using one = await connect(create(), kind, mode);
    const { content } = await one.client.callTool({ name: 'ask', arguments: {} });
    expect(content).toEqual([{ type: 'text', text: '{"action":"accept","content":{"name":"Ada"}}' }]);
  });

  it('hears notifications that belong to no request', async () => {
    await using one = await connect(create(), kind, mode);
    const methods = ['notifications/tools/list_changed'];
    await one.client.callTool({ name: 'tell', arguments: { methods } });
    await until(() => one.heard.includes(methods[0]!));
  });
});

describe('the official client over Streamable HTTP', () => {
  it('ends its session, which the endpoint hears', async () => {
    await using one = await connect(createStreamableHttp({ log: quiet }), 'streamable', 'legacy');
    const transport = one.transport as StreamableHTTPClientTransport;
    expect(transport.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    await transport.terminateSession();
    expect(one.endpoint.left).toHaveLength(1);
  });

  it('finds the modern era by itself', async () => {
    const endpoint = createFakeEndpoint();
    await using served = await serveFace(createStreamableHttp({ log: quiet }), endpoint);
    const client = new Client(info, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(served.url)));
    expect(client.getProtocolEra()).toBe('modern');
    await client.close();
  });
});
