import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestOptions, ServerRequest } from '../../../actors/context.ts';
import { ASK_ANYTHING } from '../../../actors/mcp/meta.ts';
import type { SessionError } from '../../../actors/mcp/session-error.ts';
import { createFailure } from '../../../machines/failure.ts';
import { createHarness, type Harness } from '../process-harness.ts';
import { type Opened, openStdio } from './stdio-session.ts';

let harness: Harness;
let opened: Opened;

beforeEach(async () => {
  harness = await createHarness();
  opened = await openStdio(harness, 'asks', ASK_ANYTHING);
});
afterEach(() => harness[Symbol.asyncDispose]());

const elicitation = { method: 'elicitation/create', params: { message: 'who?' } };
const textOf = (result: unknown) => JSON.parse((result as { content: { text: string }[] }).content[0]!.text);
const asks = async (args: object = elicitation, options: RequestOptions = {}, { session } = opened) =>
  textOf(await session.request('tools/call', { name: 'asks', arguments: args }, options));
const failureOf = (promise: Promise<unknown>): Promise<SessionError> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error) => error as SessionError,
  );
const never = () => new Promise<never>(() => {});

describe('an interactive session', () => {
  it('declares what can be asked', async () => {
    const declared = textOf(await opened.session.request('tools/call', { name: 'declared', arguments: {} }));
    expect(declared).toEqual({
      sampling: { tools: {} },
      elicitation: { form: {}, url: {} },
      roots: { listChanged: true },
    });
  });

  it('puts what the server asks to the call that it works on', async () => {
    const questions: ServerRequest[] = [];
    const onRequest = async (question: ServerRequest) => {
      questions.push(question);
      return { action: 'accept', content: { name: 'Ada' } };
    };
    expect(await asks(elicitation, { onRequest })).toEqual({
      result: { action: 'accept', content: { name: 'Ada' } },
    });
    expect(questions).toMatchObject([elicitation]);
  });

  it('gives the server the error of the client, and of our own errors nothing but that there was one', async () => {
    const refuses = (error: unknown) => ({ onRequest: () => Promise.reject(error) });
    const error = { code: -1, message: 'User rejected sampling request', data: { why: 1 } };
    expect(await asks(elicitation, refuses(error))).toEqual({ error });
    expect(await asks(elicitation, refuses(new TypeError('a secret')))).toEqual({
      error: { code: -32603, message: 'The client could not be asked.' },
    });
  });

  it('refuses the question when nobody answers for the call', async () => {
    expect(await asks()).toEqual({ error: { code: -32601, message: 'Method not found: elicitation/create' } });
  });

  it('makes one call after the other, so that each question reaches its own caller', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        asks({ method: 'roots/list', params: { n }, wait: 5 * (8 - n) }, { onRequest: async () => ({ caller: n }) }),
      ),
    );
    expect(answers).toEqual(answers.map((_, caller) => ({ result: { caller } })));
  });

  it('lets through what makes no server ask', async () => {
    const call = failureOf(asks(elicitation, { onRequest: never }));
    expect(await opened.session.request('tools/list', {})).toHaveProperty('tools');
    opened.session.close(createFailure('CALL_STOPPED'));
    expect((await call).fate).toBe('sent-unknown');
  });

  it('sends nothing for a call that is aborted, or out of time, before its turn', async () => {
    const first = failureOf(asks(elicitation, { onRequest: never }));
    const abort = new AbortController();
    const aborted = failureOf(asks({ ...elicitation, params: 'aborted' }, { signal: abort.signal }));
    const late = failureOf(asks({ ...elicitation, params: 'late' }, { timeout: 20 }));
    abort.abort();
    expect(await aborted).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_CANCELLED' } });
    expect(await late).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_TIMEOUT' } });
    const waits = failureOf(asks());
    opened.session.close(createFailure('CALL_STOPPED'));
    expect(await waits).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_INTERRUPTED' } });
    await first;
    expect(opened.process.stderrTail().join('\n')).not.toMatch(/begins "(aborted|late)"/);
  });

  it('lets the next one go when a call is given up, and never asks it for the one before', async () => {
    const abort = new AbortController();
    const first = failureOf(
      asks({ ...elicitation, params: 'first', wait: 1000 }, { signal: abort.signal, caller: 'one', onRequest: never }),
    );
    await opened.run.line('begins "first"');
    abort.abort();
    await first;
    const asked: unknown[] = [];
    const onRequest = async ({ params }: ServerRequest) => {
      asked.push(params);
      return {};
    };
    const second = asks({ ...elicitation, params: 'second', wait: 1500 }, { caller: 'two', onRequest });
    await opened.run.line('ends "first" {"error":{"code":-32603,"message":"Ambiguous origin');
    await second;
    expect(asked).toEqual(['second']);
  });

  it('withdraws the question when the server takes it back', async () => {
    let withdrawn: () => void;
    const gone = new Promise<void>((resolve) => {
      withdrawn = resolve;
    });
    const onRequest = ({ signal }: ServerRequest) => {
      signal.addEventListener('abort', () => withdrawn());
      return never();
    };
    failureOf(asks({ ...elicitation, takeBack: true }, { onRequest }));
    await gone;
  });

  it('withdraws the question, and tells the server so, when its call is given up', async () => {
    const abort = new AbortController();
    let asked: (signal: AbortSignal) => void;
    const question = new Promise<AbortSignal>((resolve) => {
      asked = resolve;
    });
    const onRequest = ({ signal }: ServerRequest) => {
      asked(signal);
      return never();
    };
    const call = failureOf(asks(elicitation, { onRequest, signal: abort.signal }));
    const signal = await question;
    abort.abort();
    expect(signal.aborted).toBe(true);
    await call;
    await opened.run.line('The request that this belongs to is over.');
  });

  it('does not count the time that its client takes to answer', async () => {
    let answer: (value: object) => void = () => {};
    const onRequest = () =>
      new Promise<object>((resolve) => {
        answer = resolve;
      });
    const call = asks(elicitation, { onRequest, timeout: 2000 });
    await new Promise((resolve) => setTimeout(resolve, 2600));
    answer({ late: true });
    expect(await call).toEqual({ result: { late: true } });
  });
});

describe('an interactive session of one client alone', () => {
  it('makes calls at once, and asks that client whichever of them the question is about', async () => {
    opened = await openStdio(harness, 'asks', ASK_ANYTHING, true);
    const waiting: (() => void)[] = [];
    // Nobody answers before all of them have been asked: one after the other they never would be.
    const onRequest = ({ params }: ServerRequest) =>
      new Promise<unknown>((resolve) => {
        waiting.push(() => resolve(params));
        if (waiting.length === 4) for (const go of waiting) go();
      });
    const ask = (n: number) => asks({ method: 'roots/list', params: { n } }, { onRequest });
    expect(await Promise.all([0, 1, 2, 3].map(ask))).toEqual([0, 1, 2, 3].map((n) => ({ result: { n } })));
  });
});

describe('a session that is not interactive', () => {
  it('refuses whatever the server asks, and makes calls at once', async () => {
    opened = await openStdio(harness, 'asks');
    expect(textOf(await opened.session.request('tools/call', { name: 'declared', arguments: {} }))).toEqual({});
    const refused = { error: { code: -32601, message: 'Method not found: elicitation/create' } };
    const onRequest = () => Promise.resolve({});
    const calls = [asks({ ...elicitation, wait: 50 }, { onRequest }), asks(elicitation, { onRequest })];
    expect(await Promise.all(calls)).toEqual([refused, refused]);
  });
});

describe('what a session follows', () => {
  it('subscribes to what is new and unsubscribes from what is gone', async () => {
    const { session, process } = opened;
    await session.follow(['a:1', 'a:2']);
    await session.follow(['a:2', 'a:3']);
    await session.follow([]);
    await opened.run.line('unsubscribe a:2');
    await opened.run.line('unsubscribe a:3');
    const lines = process.stderrTail().filter((line) => line.includes('subscribe'));
    expect(lines.slice(0, 4).sort()).toEqual(['subscribe a:1', 'subscribe a:2', 'subscribe a:3', 'unsubscribe a:1']);
    expect(lines.slice(4).sort()).toEqual(['unsubscribe a:2', 'unsubscribe a:3']);
  });

  it('rejects with the refusal of the server', async () => {
    const { session } = await openStdio(harness, 'tools');
    expect((await failureOf(session.follow(['a:1']))).failure.data.code).toBe(-32601);
  });
});

describe('a session with a server of the modern era', () => {
  it('listens for every change that the server tells of, and for the resources that are followed', async () => {
    const { session, run } = await openStdio(harness, 'listens');
    await run.line('listens {"toolsListChanged":true,"promptsListChanged":true}');
    const heard: unknown[] = [];
    session.onMessage(({ method, params }) => heard.push([method, params]));
    await session.follow(['a:1']);
    await run.line('listens {"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:1"]}');
    await run.line('cancelled 4');
    expect(heard).toEqual([['notifications/resources/updated', { uri: 'a:1' }]]);
    expect(session.inFlight()).toBe(0);
  });

  it('says what can be asked with each request that somebody answers for, and the caller’s own words win', async () => {
    const { session } = await openStdio(harness, 'listens', ASK_ANYTHING);
    const key = 'io.modelcontextprotocol/clientCapabilities';
    const onRequest = async () => ({});
    const declared = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} };
    expect(await session.request('tools/call', {}, { onRequest })).toMatchObject({ [key]: declared });
    expect(await session.request('tools/call', {})).toMatchObject({ [key]: {} });
    const _meta = { [key]: { sampling: {} } };
    expect(await session.request('tools/call', { _meta }, { onRequest })).toMatchObject({ [key]: { sampling: {} } });
  });
});
