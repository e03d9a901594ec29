import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expressGateway } from '../../src/integrations/express.ts';
import { fastifyGateway } from '../../src/integrations/fastify.ts';
import { honoGateway } from '../../src/integrations/hono.ts';
import type { Supervisor } from '../../src/options.ts';
import { createStage, puppet, type Stage } from '../reliability/stage.ts';

interface Hosted {
  readonly port: number;
  readonly close: () => Promise<unknown>;
}
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const closed = (server: Server) =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
const listening = (server: Server) =>
  new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));

/** The few lines that a user writes, for each framework. */
const hosts: Readonly<Record<string, (supervisor: Supervisor) => Promise<Hosted>>> = {
  async express(supervisor) {
    const app = express();
    const gateway = expressGateway(supervisor);
    app.use('/tools', gateway);
    app.get('/mine', (_request, response) => void response.json('mine'));
    const server = createServer(app);
    await listening(server);
    return {
      port: portOf(server),
      async close() {
        await gateway.close();
        await closed(server);
      },
    };
  },
  async fastify(supervisor) {
    const app = fastify();
    await app.register(fastifyGateway, { prefix: '/tools', supervisor });
    app.get('/mine', async () => 'mine');
    app.post('/mine', async ({ body }) => body);
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: portOf(app.server), close: () => app.close() };
  },
  async hono(supervisor) {
    const app = new Hono();
    const gateway = honoGateway(supervisor, { basePath: '/tools' });
    app.all('/tools/*', gateway);
    app.get('/mine', (context) => context.json('mine'));
    const server = await new Promise<Server>((resolve) => {
      const started = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started as Server));
    });
    return {
      port: portOf(server),
      async close() {
        await gateway.close();
        await closed(server);
      },
    };
  },
};

describe.each(Object.keys(hosts))('inside a server of %s', (framework) => {
  let stage: Stage;
  let hosted: Hosted;
  let base: string;
  beforeAll(async () => {
    stage = await createStage({ plugins: { puppet: puppet() } });
    hosted = await hosts[framework]!(stage.supervisor);
    base = `http://127.0.0.1:${hosted.port}/tools`;
  });
  afterAll(async () => {
    await hosted.close();
    await stage[Symbol.asyncDispose]();
  });

  test('REST calls a plugin below the path', async () => {
    const answer = await fetch(`${base}/plugins/puppet`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tool: 'echo', arguments: { message: framework } }),
    });
    expect(await answer.json()).toEqual({ content: [{ type: 'text', text: framework }] });
  });

  test.each(['legacy', 'auto'] as const)('an MCP client (%s) lists and calls below the path', async (mode) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`)));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('puppet__echo');
    const result = await client.callTool({ name: 'puppet__echo', arguments: { message: mode } });
    expect(result.content).toEqual([{ type: 'text', text: mode }]);
    await client.close();
  });

  test('its own addresses stay its own', async () => {
    const mine = await fetch(`http://127.0.0.1:${hosted.port}/mine`);
    expect(await mine.text()).toContain('mine');
    expect((await fetch(`${base}/nowhere`)).status).toBe(404);
  });

  test('a stranger’s page is turned away', async () => {
    const answer = await fetch(`${base}/plugins`, { headers: { origin: 'https://stranger.example' } });
    expect(answer.status).toBe(403);
  });
});
