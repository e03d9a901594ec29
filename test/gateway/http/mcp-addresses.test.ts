import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { puppet } from '../../reliability/stage.ts';
import { createGatewayStage } from '../gateway-stage.ts';

async function connect(url: string, headers: Record<string, string> = {}) {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

describe('the MCP addresses', () => {
  it('give one plugin unprefixed, all of them prefixed, and a profile its part', async () => {
    await using stage = await createGatewayStage(
      { a: puppet(), b: puppet() },
      { profiles: { part: { plugins: ['a'], tools: { allow: ['echo'] } } } },
    );
    await Promise.all([stage.supervisor.start('a'), stage.supervisor.start('b')]);
    const namesAt = async (path: string) => {
      const client = await connect(stage.url + path);
      const { tools } = await client.listTools();
      await client.close();
      return tools.map(({ name }) => name);
    };
    expect(await namesAt('/plugins/a/mcp')).toContain('echo');
    expect(await namesAt('/mcp')).toEqual(expect.arrayContaining(['a__echo', 'b__echo', 'a__pid']));
    expect(await namesAt('/profiles/part/mcp')).toEqual(['a__echo']);
    await expect(namesAt('/profiles/other/mcp')).rejects.toThrow();
    await expect(namesAt('/plugins/c/mcp')).rejects.toThrow();
    expect((await stage.get('/sse')).status).toBe(404);
  });

  it('open to a token with a profile that profile alone', async () => {
    const token = 'a-token-that-nobody-guesses';
    await using stage = await createGatewayStage(
      { a: puppet(), b: puppet() },
      {
        auth: 'always',
        profiles: { part: { plugins: ['a'], tools: { deny: ['exit'] } }, other: {} },
        tokens: [{ token, profile: 'part' }],
      },
    );
    const headers = { authorization: `Bearer ${token}` };
    const statusOf = async (path: string, body: unknown) =>
      (await stage.post(path, body, { headers: { ...headers, accept: 'application/json, text/event-stream' } })).status;
    const ping = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} };
    expect(await statusOf('/profiles/other/mcp', ping)).toBe(404);
    expect(await statusOf('/plugins/b/mcp', ping)).toBe(404);
    const client = await connect(`${stage.url}/mcp`, headers);
    const result = await client.callTool({ name: 'a__echo', arguments: { message: 'hello' } });
    expect(result.content).toEqual([{ type: 'text', text: 'hello' }]);
    await expect(client.callTool({ name: 'a__exit', arguments: {} })).rejects.toThrow();
    await expect(client.callTool({ name: 'b__echo', arguments: {} })).rejects.toThrow();
    await client.close();
    expect(stage.supervisor.status('b').generation).toBe(0);
  });

  it('keep a session to the token that opened it, whatever comes before it in the options', async () => {
    const [mine, other] = ['my-own-token-of-some-length', 'another-token-of-some-length'];
    const tokens = [{ token: mine }, { token: other }];
    await using stage = await createGatewayStage({ p: puppet() }, { auth: 'always', tokens });
    const send = (token: string, method: string, more: Record<string, string> = {}) =>
      stage.post(
        '/plugins/p/mcp',
        { jsonrpc: '2.0', id: 1, method, params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} } },
        { headers: { accept: 'application/json, text/event-stream', authorization: `Bearer ${token}`, ...more } },
      );
    const session = { 'mcp-session-id': (await send(mine, 'initialize')).headers.get('mcp-session-id') ?? '' };
    expect((await send(mine, 'ping', session)).status).toBe(200);
    await stage.gateway.update({ auth: 'always', tokens: [...tokens].reverse() });
    expect((await send(mine, 'ping', session)).status).toBe(200);
    expect((await send(other, 'ping', session)).status).toBe(404);
  });
});
