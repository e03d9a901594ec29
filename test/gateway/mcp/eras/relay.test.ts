import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRelay, type Relay } from '../../../../src/gateway/mcp/eras/relay.ts';
import { createStage, eventually, program, type Stage } from '../../../reliability/stage.ts';
import { createClient, type TestClientOptions } from './client.ts';

let stage: Stage;
let relay: Relay;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const stdio = { transport: 'stdio', interactive: true } as const;

beforeAll(async () => {
  stage = await createStage({
    plugins: {
      legacy: program(['node', 'mcp/asks.mjs'], stdio),
      closed: program(['node', 'mcp/asks.mjs'], { transport: 'stdio' }),
      tools: program(['node', 'mcp/tools.mjs'], { transport: 'stdio' }),
      modern: program(['node', 'mcp/asks-modern.mjs'], { transport: 'stdio', protocol: 'modern' }),
    },
  });
  relay = createRelay({ supervisor: stage.supervisor, log });
});
afterAll(async () => {
  relay.close();
  await stage[Symbol.asyncDispose]();
});

const ANY = { sampling: {}, elicitation: {}, roots: {} };
const legacy = (options: TestClientOptions = {}) => createClient(relay, 'legacy', { capabilities: ANY, ...options });
const modern = (options: TestClientOptions = {}) => createClient(relay, 'modern', { capabilities: ANY, ...options });
const elicitation = { method: 'elicitation/create', params: { message: 'who?' } };
const toldBy = (result: Record<string, unknown>) =>
  JSON.parse((result.content as { text: string }[])[0]!.text) as Record<string, unknown>;
const stateOf = (result: Record<string, unknown>) => result.requestState as string;
const keysOf = (result: Record<string, unknown>) => Object.keys(result.inputRequests as object);
const answerAll = (result: Record<string, unknown>, answer: unknown) => ({
  requestState: result.requestState,
  inputResponses: Object.fromEntries(keysOf(result).map((key) => [key, answer])),
});

describe('a legacy client and a legacy plugin', () => {
  it('are passed on as they are', async () => {
    const answer = { action: 'accept', content: { a: 1 }, 'x-vendor': null };
    const client = legacy({ answers: () => answer });
    const result = await client.call('legacy', 'asks', elicitation);
    expect(toldBy(result)).toEqual({ result: answer });
    expect(Object.keys(result)).toEqual(['content']);
    expect(client.asked).toEqual([['elicitation/create', { message: 'who?' }]]);
  });

  it('gives the client the error of the plugin, verbatim', async () => {
    const { code, message, data } = await legacy().refusal('tools', 'tools/call', { name: 'fails' });
    expect({ code, message, data }).toEqual({ code: -32042, message: 'log in first', data: { url: 'x:y' } });
  });

  it('refuses what the client did not declare, and what nobody can be asked', async () => {
    const client = legacy({ capabilities: { elicitation: {} } });
    const errorOf = async (args: object) =>
      (toldBy(await client.call('legacy', 'asks', args)).error as { code: number }).code;
    expect(await errorOf({ method: 'sampling/createMessage', params: {} })).toBe(-32601);
    expect(await errorOf({ method: 'elicitation/create', params: { mode: 'url' } })).toBe(-32602);
    expect(await errorOf({ method: 'vendor/asks' })).toBe(-32601);
    expect(client.asked).toEqual([]);
  });

  it('never asks for a plugin that is not interactive', async () => {
    const client = legacy();
    expect(toldBy(await client.call('closed', 'asks', elicitation))).toMatchObject({ error: { code: -32601 } });
    expect(client.asked).toEqual([]);
  });

  it('says what to do about a plugin that is not there', async () => {
    const error = await legacy().refusal('nobody', 'tools/list');
    expect(error).toMatchObject({ code: -32603, data: { plugin: 'nobody', code: 'CONFIG_UNKNOWN_PLUGIN' } });
  });
});

describe('a modern client and a modern plugin', () => {
  it('are passed on as they are, questions and their state too', async () => {
    const client = modern();
    const asked = await client.call('modern', 'asks', { ...elicitation, rounds: 1 });
    expect(asked).toEqual({
      resultType: 'input_required',
      inputRequests: { 'question 1': elicitation },
      requestState: '[]',
    });
    const done = await client.call('modern', 'asks', { ...elicitation, rounds: 1 }, answerAll(asked, { ok: 1 }));
    expect(toldBy(done)).toMatchObject({
      answers: [{ ok: 1 }],
      _meta: { 'io.modelcontextprotocol/clientCapabilities': ANY },
    });
    expect(await client.request('modern', 'tools/list')).toMatchObject({ ttlMs: 1000, cacheScope: 'public' });
  });

  it('give the client the log messages that it asked for, and its own progress token', async () => {
    const client = modern();
    const _meta = { 'io.modelcontextprotocol/logLevel': 'error', progressToken: 'mine' };
    await client.call('modern', 'says', {}, { _meta });
    await client.call('modern', 'says', {});
    expect(client.told).toEqual([
      ['notifications/message', { level: 'error', data: 'says' }],
      ['notifications/progress', { progressToken: 'mine', progress: 1 }],
    ]);
  });
});

describe('a legacy client and a modern plugin', () => {
  it('asks the client itself, round after round, and says nothing of it', async () => {
    let n = 0;
    const client = legacy({ answers: () => ({ answer: ++n }) });
    const result = await client.call('modern', 'asks', { ...elicitation, rounds: 3 });
    expect(client.asked).toHaveLength(3);
    expect(Object.keys(result)).toEqual(['content']);
    const { answers, _meta } = toldBy(result);
    expect(answers).toEqual([{ answer: 1 }, { answer: 2 }, { answer: 3 }]);
    expect(_meta).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': ANY,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    });
  });

  it('gives up with a plugin that is never content', async () => {
    const error = await legacy().refusal('modern', 'tools/call', {
      name: 'asks',
      arguments: { ...elicitation, rounds: 100 },
    });
    expect(error.message).toContain('more than 8 times');
  });

  it('refuses the request of a client that can’t be asked', async () => {
    const client = legacy({ capabilities: {} });
    const error = await client.refusal('modern', 'tools/call', { name: 'asks', arguments: elicitation });
    expect(error.code).toBe(-32603);
    expect(client.asked).toEqual([]);
  });

  it('leaves out of lists what the client does not know', async () => {
    expect(Object.keys(await legacy().request('modern', 'tools/list'))).toEqual(['tools']);
  });
});

describe('a modern client and a legacy plugin', () => {
  it('gets what its revision demands', async () => {
    const client = modern();
    expect(await client.request('legacy', 'tools/list')).toMatchObject({
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
    });
    expect(await client.call('legacy', 'declared')).toMatchObject({ resultType: 'complete', content: [{}] });
  });

  it('is told what the plugin asks, and its retry brings the answer', async () => {
    const client = modern();
    const asked = await client.call('legacy', 'asks', elicitation);
    expect(asked).toEqual({
      resultType: 'input_required',
      inputRequests: { elicitation_1: elicitation },
      requestState: expect.stringMatching(/^parked\.[\w-]{32}$/),
    });
    const answer = { action: 'accept', content: { name: 'Ada' } };
    const done = await client.call('legacy', 'asks', elicitation, answerAll(asked, answer));
    expect(done.resultType).toBe('complete');
    expect(toldBy(done)).toEqual({ result: answer });
  });

  it('is asked again for what it left out, and once more under the same state it is refused', async () => {
    const client = modern();
    const asked = await client.call('legacy', 'asks', elicitation);
    const { requestState } = asked;
    const more = await client.call('legacy', 'asks', elicitation, { requestState, inputResponses: { other: {} } });
    expect(more.inputRequests).toEqual(asked.inputRequests);
    expect(stateOf(more)).not.toBe(requestState);
    const params = { name: 'asks', arguments: elicitation, requestState };
    expect((await client.refusal('legacy', 'tools/call', params)).code).toBe(-32602);
    expect(await client.call('legacy', 'asks', elicitation, answerAll(more, {}))).toHaveProperty('content');
  });

  it('is refused with a state that is another one’s, another request’s or damaged; the right one still holds', async () => {
    const client = modern();
    const asked = await client.call('legacy', 'asks', elicitation);
    const params = { name: 'asks', arguments: elicitation, ...answerAll(asked, {}) };
    const attempts = [
      modern({ principal: 'token:2' }).refusal('legacy', 'tools/call', params),
      client.refusal('legacy', 'tools/call', { ...params, arguments: { ...elicitation, wait: 1 } }),
      client.refusal('legacy', 'prompts/get', params),
      client.refusal('closed', 'tools/call', params),
      client.refusal('legacy', 'tools/call', { ...params, requestState: `${params.requestState}-TAMPERED` }),
      client.refusal('legacy', 'tools/call', { ...params, requestState: 'of another server' }),
      client.refusal('legacy', 'tools/call', { ...params, inputResponses: null }),
      client.refusal('legacy', 'tools/call', { ...params, inputResponses: { elicitation_1: 12 } }),
    ];
    for (const attempt of await Promise.all(attempts)) expect(attempt.code).toBe(-32602);
    expect(toldBy(await client.request('legacy', 'tools/call', params))).toEqual({ result: {} });
  });

  it('hears which capability it lacks', async () => {
    const client = modern({ capabilities: { sampling: {} } });
    const error = await client.refusal('legacy', 'tools/call', { name: 'asks', arguments: elicitation });
    expect(error).toMatchObject({ code: -32021, data: { requiredCapabilities: { elicitation: { form: {} } } } });
  });

  it('does not stand in the way of others for ever when it never comes back', async () => {
    const hasty = createRelay({ supervisor: stage.supervisor, log, parking: { patience: 200 } });
    const gone = createClient(hasty, 'modern', { capabilities: ANY });
    const asked = await gone.call('legacy', 'asks', elicitation);
    const other = createClient(hasty, 'legacy', { capabilities: ANY, answers: () => ({ mine: true }) });
    expect(toldBy(await other.call('legacy', 'asks', elicitation))).toEqual({ result: { mine: true } });
    const params = { name: 'asks', arguments: elicitation, ...answerAll(asked, {}) };
    expect((await gone.refusal('legacy', 'tools/call', params)).code).toBe(-32602);
    hasty.close();
  });

  it('does not keep the plugin from being stopped, and begins anew after it', async () => {
    const client = modern();
    const asked = await client.call('legacy', 'asks', elicitation);
    await stage.supervisor.restart('legacy');
    const params = { name: 'asks', arguments: elicitation, ...answerAll(asked, {}) };
    expect((await client.refusal('legacy', 'tools/call', params)).code).toBe(-32602);
    expect(await client.call('legacy', 'asks', elicitation)).toHaveProperty('requestState');
  });

  it('hears of a plugin that died while it thought', async () => {
    const client = modern();
    await stage.supervisor.restart('legacy');
    const asked = await client.call('legacy', 'asks', elicitation);
    process.kill(stage.supervisor.status('legacy').pid as number, 'SIGKILL');
    await eventually(() => stage.supervisor.status('legacy').inFlight === 0);
    const params = { name: 'asks', arguments: elicitation, ...answerAll(asked, {}) };
    expect(await client.refusal('legacy', 'tools/call', params)).toMatchObject({
      code: -32603,
      data: { code: 'CALL_INTERRUPTED', fate: 'sent-unknown' },
    });
  });

  it('takes the call along when it goes', async () => {
    const abort = new AbortController();
    const params = { name: 'asks', arguments: { ...elicitation, wait: 60_000 } };
    const gone = modern().request('legacy', 'tools/call', params, abort.signal);
    gone.catch(() => {});
    await eventually(() => stage.supervisor.status('legacy').inFlight === 1);
    abort.abort();
    await expect(gone).rejects.toMatchObject({ data: { code: 'CALL_CANCELLED' } });
  });
});
