import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerRequest } from '../actors/context.ts';
import { createStage, eventually, failureOf, program, type Stage, textOf } from './reliability/stage.ts';

let stage: Stage;

beforeAll(async () => {
  const interactive = { transport: 'stdio', interactive: true } as const;
  stage = await createStage({
    plugins: {
      legacy: program(['node', 'mcp/asks.mjs'], interactive),
      modern: program(['node', 'mcp/asks-modern.mjs'], { ...interactive, protocol: 'modern' }),
    },
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

const asks = (args: object = {}) => ({
  tool: 'asks',
  arguments: { method: 'elicitation/create', params: { message: 'who?' }, ...args },
});

describe.each(['legacy', 'modern'])('a call of an interactive plugin of the %s era', (plugin) => {
  it('answers what the server asks meanwhile', async () => {
    const questions: unknown[] = [];
    const onRequest = async ({ method, params }: ServerRequest) => {
      questions.push([method, params]);
      return { action: 'accept', content: { name: 'Ada' } };
    };
    const result = await stage.supervisor.call(plugin, asks(), { onRequest });
    expect(textOf(result)).toContain('{"action":"accept","content":{"name":"Ada"}}');
    expect(questions).toEqual([['elicitation/create', { message: 'who?' }]]);
    const link = await stage.supervisor.open(plugin);
    const { tool: name, arguments: args } = asks();
    expect(await link.request('tools/call', { name, arguments: args }, { onRequest })).toEqual(result);
    link.close();
  });
});

it('never puts what one caller took back to another one, over one link', async () => {
  const link = await stage.supervisor.open('legacy');
  const callBy = (caller: string, wait: number, more: object) =>
    link.request(
      'tools/call',
      { name: 'asks', arguments: { ...asks({ wait }).arguments, params: caller } },
      { caller, ...more },
    );
  const abort = new AbortController();
  const first = failureOf(callBy('one', 1000, { signal: abort.signal, onRequest: () => new Promise(() => {}) }));
  await eventually(() => stage.supervisor.logs('legacy').some(({ text }) => text === 'begins "one"'));
  abort.abort();
  expect(await first).toMatchObject({ code: 'CALL_CANCELLED' });
  const asked: unknown[] = [];
  const onRequest = async ({ params }: ServerRequest) => asked.push(params);
  await callBy('two', 1500, { onRequest });
  expect(asked).toEqual(['two']);
  link.close();
});

describe('a call of a modern plugin', () => {
  const call = (args: object, onRequest: () => Promise<unknown>) =>
    stage.supervisor.call('modern', asks(args), { onRequest });

  it('answers round after round, up to a limit', async () => {
    let round = 0;
    const count = async () => ({ round: ++round });
    expect(textOf(await call({ rounds: 3 }, count))).toContain('[{"round":1},{"round":2},{"round":3}]');
    expect((await failureOf(call({ rounds: 100 }, count))).message).toContain('more than 8 times');
  });

  it('fails when the caller has no answer', async () => {
    const error = await failureOf(call({}, () => Promise.reject(new Error('not now'))));
    expect(error).toMatchObject({ code: 'CALL_CANCELLED', message: 'elicitation/create was not answered: not now' });
  });

  it('gives the questions as its result to a caller that says itself what it can be asked', async () => {
    const { tool: name, arguments: args } = asks();
    const _meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
    const onRequest = () => Promise.reject(new Error('never asked'));
    const result = await stage.supervisor.request(
      'modern',
      'tools/call',
      { name, arguments: args, _meta },
      { onRequest },
    );
    expect(result).toMatchObject({ resultType: 'input_required', requestState: '[]' });
  });
});
