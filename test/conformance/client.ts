/**
 * The official suite's client under test: a supervisor with the suite's server as its plugin, which does what the scenario
 * wants. The suite appends the server's URL.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSupervisor } from '../../src/supervisor.ts';

type Json = Readonly<Record<string, unknown>>;

const { MCP_CONFORMANCE_PROTOCOL_VERSION: version = '', MCP_CONFORMANCE_CONTEXT: context = '{}' } = process.env;
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const url = process.argv.at(-1) ?? '';

const home = await mkdtemp(join(tmpdir(), 'mcps-client-'));
const asks = /elicitation|request-state|request-metadata/.test(scenario);
const supervisor = createSupervisor({
  home,
  plugins: { server: { url, protocol: version >= '2026' ? 'modern' : 'legacy', interactive: asks } },
});

/** A person who presses the button of every form that is put before them, defaults and all. */
async function answer({ method, params }: { readonly method: string; readonly params?: unknown }): Promise<Json> {
  if (method !== 'elicitation/create') throw Object.assign(new Error('nobody answers that'), { code: -32601 });
  const { properties = {} } = ((params as Json).requestedSchema ?? {}) as {
    readonly properties?: Record<string, Json>;
  };
  const filled = Object.entries(properties).flatMap(([name, { default: value, type }]) =>
    value !== undefined ? [[name, value]] : type === 'boolean' ? [[name, true]] : [],
  );
  return { action: 'accept', content: Object.fromEntries(filled) };
}

/** One request to its end: where the server wants input first, it is made again with that. */
async function request(method: string, params: Json = {}): Promise<Json> {
  const result = (await supervisor.request('server', method, params, asks ? { onRequest: answer } : {})) as Json;
  if (result?.resultType !== 'input_required') return result;
  const wanted = Object.entries((result.inputRequests ?? {}) as Record<string, { method: string; params: unknown }>);
  const inputResponses = Object.fromEntries(
    await Promise.all(wanted.map(async ([key, each]) => [key, await answer(each)])),
  );
  const { inputResponses: _, requestState: __, ...first } = params;
  const state = result.requestState === undefined ? {} : { requestState: result.requestState };
  return request(method, { ...first, inputResponses, ...state });
}

try {
  const link = await supervisor.open('server');
  const { capabilities = {} } = link.server as { readonly capabilities?: Json };
  const given = (JSON.parse(context) as { readonly toolCalls?: readonly Json[] }).toolCalls;
  const usual = link.tools.map(({ name }) => ({ name, arguments: { a: 2, b: 3 } }));
  if (scenario !== 'json-schema-ref-no-deref') for (const call of given ?? usual) await request('tools/call', call);
  for (const [kind, method, key] of [
    ['resources', 'resources/read', 'uri'],
    ['prompts', 'prompts/get', 'name'],
  ] as const) {
    if (capabilities[kind] === undefined) continue;
    const [first] = ((await request(`${kind}/list`))[kind] ?? []) as readonly Json[];
    if (first !== undefined) await request(method, { [key]: first[key] });
  }
  link.close();
} finally {
  await supervisor.close();
  await rm(home, { recursive: true, force: true });
}
