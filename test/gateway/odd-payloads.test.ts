/**
 * Thirteen payloads that typed proxies change or refuse: each passes to the letter, over every face that can carry it,
 * between a client and a plugin of the same era.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SupervisorError } from '../../src/errors.ts';
import { everything } from '../../src/gateway/view.ts';
import { fixture } from '../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from './gateway-stage.ts';
import { legacyHttp, type Message, modernHttp, overStdio, type Params, type RawClient } from './raw-clients.ts';

type Era = 'legacy' | 'modern';
type Answer = Pick<Message, 'result' | 'error'>;

/** One way to the plugin. */
interface Face {
  request(method: string, params?: Params): Promise<Answer>;
  /** What the plugin says of itself; absent where nobody asks for it. */
  greeting?(): Promise<Readonly<Record<string, unknown>>>;
  readonly list: () => Promise<readonly { readonly name: string }[]>;
}

/** What the plugin says, thing by thing. */
const { identity, tools, methods } = JSON.parse(
  readFileSync(fixture('plugins/odd-payloads/payloads.json'), 'utf8'),
) as {
  readonly identity: object;
  readonly tools: Readonly<Record<string, Answer & { readonly description?: object }>>;
  readonly methods: Readonly<Record<string, object>>;
};
const source = `-- node ${fixture('plugins/odd-payloads/server.mjs')}`;
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
let stage: GatewayStage;
const clients: RawClient[] = [];

beforeAll(async () => {
  stage = await createGatewayStage({
    legacy: { source, transport: 'stdio', protocol: 'legacy' },
    modern: { source, transport: 'stdio', protocol: 'modern' },
  });
  for (const era of ['legacy', 'modern']) await stage.supervisor.start(era);
});
afterAll(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const kept = <C extends RawClient>(client: C): C => {
  clients.push(client);
  return client;
};

const overMcp = (client: RawClient & { readonly greeting?: Message | null }, name = (tool: string) => tool): Face => ({
  request: (method, params) =>
    client.request(method, method === 'tools/call' ? { ...params, name: name(String(params?.name)) } : params),
  greeting: async () => {
    if (client.greeting) return client.greeting.result;
    const { _meta, ...discovered } = (await client.request('server/discover')).result;
    return { ...discovered, serverInfo: _meta[SERVER_INFO] };
  },
  list: async () => (await client.request('tools/list')).result.tools,
});

/** REST and the library tell a plugin's own error in theirs. */
const asAnswer = (work: Promise<unknown>): Promise<Answer> =>
  work.then(
    (result) => ({ result }),
    (thrown: unknown) => {
      if (!SupervisorError.is(thrown)) throw thrown;
      const { code, message, data } = thrown.data;
      return { error: { code, message, data } };
    },
  );

async function rest(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${stage.url}${path}`, {
    method: body ? 'POST' : 'GET',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const said = (await response.json()) as Message['result'];
  if (response.ok) return { result: said };
  const { code, message, data } = said.error.data;
  return { error: { code, message, data } };
}

const faces: Readonly<Record<string, (era: Era) => Face | Promise<Face>>> = {
  'the library, by request': (era) => ({
    request: (method, params) => asAnswer(stage.supervisor.request(era, method, params)),
    greeting: async () => {
      const link = await stage.supervisor.open(era);
      link.close();
      return link.server;
    },
    list: () => stage.supervisor.tools(era),
  }),
  'the library, by call': (era) => ({
    request: (method, params) => asAnswer(stage.supervisor.call(era, params ? { method, params } : { method })),
    list: () => stage.supervisor.tools(era),
  }),
  'REST by method': (era) => ({
    request: (method, params) => rest(`/plugins/${era}`, { method, params }),
    list: async () => (await rest(`/plugins/${era}/tools`)).result.tools,
  }),
  'MCP, the plugin alone': async (era) => {
    const url = `${stage.url}/plugins/${era}/mcp`;
    return overMcp(kept(era === 'legacy' ? await legacyHttp(url) : modernHttp(url)));
  },
  'MCP, all plugins': async (era) => {
    const url = `${stage.url}/mcp`;
    const { greeting: _, ...face } = overMcp(
      kept(era === 'legacy' ? await legacyHttp(url) : modernHttp(url)),
      (tool) => `${era}__${tool}`,
    );
    return { ...face, list: async () => unprefixed(await face.list(), era) };
  },
  'stdio, the plugin alone': async (era) =>
    overMcp(kept(await overStdio(stage.gateway.endpoints.plugin(era, everything)!, era))),
  'stdio, all plugins': async (era) => {
    const { greeting: _, ...face } = overMcp(
      kept(await overStdio(stage.gateway.endpoints.all(everything), era)),
      (tool) => `${era}__${tool}`,
    );
    return { ...face, list: async () => unprefixed(await face.list(), era) };
  },
};

const unprefixed = (list: readonly { readonly name: string }[], era: Era) =>
  list
    .filter(({ name }) => name.startsWith(`${era}__`))
    .map((tool) => ({ ...tool, name: tool.name.slice(era.length + 2) }));

describe.each(Object.keys(faces).flatMap((name) => (['legacy', 'modern'] as const).map((era) => ({ name, era }))))(
  'over $name, $era era',
  ({ name, era }) => {
    let face: Face;
    const oneOfMany = name.includes('all plugins');
    // Elsewhere nobody asks for it.
    const tellsWhoItIs = name.includes('by request') || name.includes('the plugin alone');
    // The newer era's results say what kind they are; the fixture does so by itself.
    const inEra = (result: object) => (era === 'modern' ? { resultType: 'complete', ...result } : result);
    const callTool = (tool: string, more: Params = {}) =>
      face.request('tools/call', { name: tool, arguments: {}, ...more });
    beforeAll(async () => {
      face = await faces[name]!(era);
    });

    if (tellsWhoItIs) {
      test('1 instructions and everything that the server says of itself', async () => {
        expect(await face.greeting?.()).toMatchObject(identity);
      });
    }

    test('2 unknown fields of a tool', async () => {
      const described = (await face.list()).find((tool) => tool.name === 'odd-description');
      expect(described).toEqual({ name: 'odd-description', ...tools['odd-description']?.description });
    });

    test.each([
      ['3 unknown fields of a content block', 'unknown-fields'],
      ['4 a new type of content', 'new-content-type'],
      ['5 a result without content', 'no-content'],
      ['6 the handle of a task', 'task-handle'],
      ['7 a result that needs input', 'needs-input'],
    ] as const)('%s', async (_, tool) => {
      expect((await callTool(tool)).result).toEqual(inEra(tools[tool]?.result));
    });

    test.each([
      ['8 an error with data of its own', 'error-with-data'],
      ['9 an error -32002', 'not-found-error'],
    ] as const)('%s', async (_, tool) => {
      expect((await callTool(tool)).error).toEqual(tools[tool]?.error);
    });

    test('10 the meta of a request', async () => {
      const _meta = {
        'example.com/trace': { ids: [1, null] },
        'io.modelcontextprotocol/related-task': { taskId: 't-1' },
        ...(era === 'modern' && {
          'io.modelcontextprotocol/clientInfo': { name: 'odd', version: '1', 'x-vendor': [] },
          'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, 'x-capability': {} },
          'io.modelcontextprotocol/logLevel': 'debug',
        }),
      };
      const { received } = (await callTool('mirror', { _meta })).result.structuredContent;
      const { progressToken: _, ...seen } = received._meta;
      expect(seen).toEqual({
        ..._meta,
        ...(era === 'modern' && { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }),
      });
    });

    test('11 answers and state in a request', async () => {
      const given = {
        inputResponses: { who: { action: 'accept', content: { name: 'Ada' }, 'x-vendor': 1 } },
        requestState: 'from elsewhere ♥',
        'x-unknown': { a: [] },
      };
      const { _meta, ...received } = (await callTool('mirror', { ...given, arguments: { a: [null, 1e21] } })).result
        .structuredContent.received;
      expect(received).toEqual({ name: 'mirror', arguments: { a: [null, 1e21] }, ...given });
    });

    test('12 a method that has gone', async () => {
      // Among many plugins it is known by the handle whose task it is.
      await callTool('task-handle');
      expect((await face.request('tasks/get', { taskId: 't-1' })).result).toEqual(inEra(methods['tasks/get']!));
    });

    test("13 a vendor's method", async () => {
      const { result, error } = await face.request('example.com/census', { of: 'all' });
      // Among many plugins nobody knows whose it is.
      if (oneOfMany) expect(error.code).toBe(-32601);
      else expect(result).toEqual(inEra(methods['example.com/census']!));
    });
  },
);

test('over POST /plugins/:name with a tool, odd results pass as they are', async () => {
  for (const tool of ['unknown-fields', 'new-content-type', 'no-content', 'task-handle', 'needs-input'] as const) {
    expect(await rest('/plugins/legacy', { tool, arguments: {} })).toEqual({ result: tools[tool]?.result });
  }
  for (const tool of ['error-with-data', 'not-found-error'] as const) {
    expect(await rest('/plugins/legacy', { tool, arguments: {} })).toEqual({ error: tools[tool]?.error });
  }
});
