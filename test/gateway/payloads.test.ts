/** Big payloads: what fits passes over every face, what does not is refused before it can hurt a plugin. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SupervisorError } from '../../src/errors.ts';
import { everything } from '../../src/gateway/view.ts';
import { program, puppet, textOf } from '../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from './gateway-stage.ts';
import { legacyHttp, type Message, modernHttp, overStdio, type RawClient } from './raw-clients.ts';

const MB = 1024 * 1024;
let stage: GatewayStage;
const clients: RawClient[] = [];

beforeAll(async () => {
  stage = await createGatewayStage({
    stdio: puppet(),
    http: program(['node', 'mcp/http.mjs'], { transport: 'streamable-http' }),
  });
  await Promise.all([stage.supervisor.start('stdio'), stage.supervisor.start('http')]);
});
afterAll(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

/** Calls a tool of the plugin: its first text, or the error's. */
type Call = (
  plugin: string,
  tool: string,
  args: object,
) => Promise<{ readonly text?: string; readonly refused?: string }>;

const overMcp =
  (open: (plugin: string) => RawClient | Promise<RawClient>): Call =>
  async (plugin, tool, args) => {
    const client = await open(plugin);
    clients.push(client);
    const { result, error } = await client.request('tools/call', { name: tool, arguments: args });
    return error ? { refused: JSON.stringify(error) } : { text: result.content[0].text };
  };

async function rest(path: string, body: object): Promise<{ text?: string; refused?: string }> {
  const response = await fetch(`${stage.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await response.text();
  if (!response.ok) return { refused: `${response.status} ${said}` };
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const parsed: Message['result'] = isJson ? JSON.parse(said) : said;
  return { text: parsed.content ? parsed.content[0].text : String(parsed) };
}

const faces: Readonly<Record<string, Call>> = {
  'the library': (plugin, tool, args) =>
    stage.supervisor.call(plugin, { tool, arguments: { ...args } }).then(
      (result) => ({ text: textOf(result) }),
      (error: unknown) => {
        if (!SupervisorError.is(error)) throw error;
        return { refused: `${error.code} ${error.message}` };
      },
    ),
  'POST /plugins/:name': (plugin, tool, args) => rest(`/plugins/${plugin}`, { tool, arguments: args }),
  'POST /plugins/:name/tools/:tool': (plugin, tool, args) => rest(`/plugins/${plugin}/tools/${tool}`, args),
  'MCP 2025-11-25': overMcp((plugin) => legacyHttp(`${stage.url}/plugins/${plugin}/mcp`)),
  'MCP 2026-07-28': overMcp((plugin) => modernHttp(`${stage.url}/plugins/${plugin}/mcp`)),
  'the stdio gateway': overMcp((plugin) => overStdio(stage.gateway.endpoints.plugin(plugin, everything)!, 'legacy')),
};

const words = (bytes: number) => 'ä'.repeat(bytes / 2);

describe.each(Object.keys(faces))('over %s', (name) => {
  const call: Call = (...given) => faces[name]!(...given);

  test.each(['stdio', 'http'])('1 MB and 9 MB go to a plugin over %s and come back', async (plugin) => {
    for (const megabytes of [1, 9]) {
      const message = words(megabytes * MB);
      const { text, refused } = await call(plugin, 'echo', { message });
      expect(refused).toBeUndefined();
      expect(text === message).toBe(true);
    }
  });

  test('12 MB pass to a plugin over HTTP and are refused for one over stdio, which lives on', async () => {
    const message = words(12 * MB);
    expect((await call('http', 'echo', { message })).text === message).toBe(true);
    const before = await call('stdio', 'pid', {});
    expect((await call('stdio', 'echo', { message })).refused).toMatch(/CALL_TOO_LARGE|413/);
    expect(await call('stdio', 'pid', {})).toEqual(before);
  });

  test('17 MB are refused either way, and no plugin dies of it', async () => {
    const message = words(17 * MB);
    const generations = () => stage.supervisor.status().map(({ state, generation }) => ({ state, generation }));
    const before = await call('stdio', 'pid', {});
    for (const plugin of ['stdio', 'http']) {
      const { text, refused } = await call(plugin, 'echo', { message });
      expect(text).toBeUndefined();
      expect(refused).toBeDefined();
    }
    expect((await call('stdio', 'big', { bytes: 17 * MB })).refused).toBeDefined();
    expect(await call('stdio', 'pid', {})).toEqual(before);
    expect(generations().every(({ generation }) => generation === 1)).toBe(true);
  });
});
