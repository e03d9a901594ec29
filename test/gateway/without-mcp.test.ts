/** Plugins that are no MCP server here, over the MCP faces: plain HTTP services, and servers that run elsewhere. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import type { PluginOptions } from '../../src/options.ts';
import { fixture } from '../reliability/stage.ts';
import { bothEras, legacySessions, modernOnly, serve, sseOnly } from '../support/remote-servers.ts';
import { createGatewayStage } from './gateway-stage.ts';

async function open(plugins: Readonly<Record<string, string | PluginOptions>>) {
  const stage = await createGatewayStage(plugins);
  const clients: Client[] = [];
  return {
    ...stage,
    async connect(path: string, mode: 'legacy' | 'modern') {
      const versionNegotiation = { mode: mode === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' } };
      const client = new Client({ name: 'test', version: '1' }, { versionNegotiation });
      await client.connect(new StreamableHTTPClientTransport(new URL(stage.url + path)));
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close();
      await stage[Symbol.asyncDispose]();
    },
  };
}

describe.each(['legacy', 'modern'] as const)('a client of the %s era', (era) => {
  it('lists and calls the operations of a plain HTTP service', async () => {
    await using opened = await open({ items: fixture('plugins/node-openapi') });
    const own = await opened.connect('/plugins/items/mcp', era);
    const { tools } = await own.listTools();
    expect(tools.map(({ name }) => name)).toContain('put_item');
    const result = await own.callTool({ name: 'put_item', arguments: { id__path: 7, name: 'x' } });
    expect(result).toMatchObject({ structuredContent: { method: 'PUT', url: '/v1/items/7', body: { name: 'x' } } });
    expect(await own.callTool({ name: 'teapot', arguments: {} })).toMatchObject({ isError: true });

    const all = await opened.connect('/mcp', era);
    expect((await all.listTools()).tools.map(({ name }) => name)).toContain('items__names');
    expect(await all.callTool({ name: 'items__names', arguments: {} })).toMatchObject({
      structuredContent: { result: ['a', 'b'] },
    });
  });

  it('makes any request to a plain HTTP service that describes nothing', async () => {
    await using opened = await open({ plain: fixture('plugins/node-plain-http') });
    const client = await opened.connect('/plugins/plain/mcp', era);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['request']);
    const result = await client.callTool({ name: 'request', arguments: { path: '/run', body: { a: 1 } } });
    expect(result).toMatchObject({ structuredContent: { path: '/run', payload: { a: 1 } } });
  });

  it.each([
    ['both eras', bothEras, '/mcp'],
    ['the modern era', modernOnly, '/mcp'],
    ['the legacy era', () => legacySessions().listener, '/mcp'],
    ['the older transport', sseOnly, '/sse'],
  ] as const)('calls a server of %s that runs elsewhere', async (_, listener, path) => {
    await using server = await serve(listener());
    await using opened = await open({ far: { url: server.origin + path } });
    const client = await opened.connect('/plugins/far/mcp', era);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo']);
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(result.content).toEqual([{ type: 'text', text: 'hello' }]);
  });
});

it('takes requests and payloads for a plain HTTP service over REST', async () => {
  await using opened = await open({ items: fixture('plugins/node-openapi') });
  const post = async (path: string, body: unknown) => {
    const response = await opened.post(path, body);
    return { status: response.status, body: await response.json() };
  };
  expect(await post('/plugins/items', { any: 'thing' })).toMatchObject({
    status: 200,
    body: { method: 'POST', url: '/', body: { any: 'thing' } },
  });
  expect(await post('/plugins/items', { path: '/v1/x', method: 'PUT', body: 1 })).toMatchObject({
    status: 200,
    body: { method: 'PUT', url: '/v1/x' },
  });
  expect(await post('/plugins/items/tools/names', {})).toMatchObject({ status: 200, body: { result: ['a', 'b'] } });
  expect(await post('/plugins/items/tools/teapot', {})).toMatchObject({ status: 422 });
});
