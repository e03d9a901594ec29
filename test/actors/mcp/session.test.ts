import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionError } from '../../../actors/mcp/session-error.ts';
import { createFailure } from '../../../machines/failure.ts';
import { createHarness, type Harness } from '../process-harness.ts';
import { type Opened, openStdio } from './stdio-session.ts';

let harness: Harness;
let opened: Opened;

beforeEach(async () => {
  harness = await createHarness();
  opened = await openStdio(harness, 'tools');
});
afterEach(() => harness[Symbol.asyncDispose]());

const call = (name: string, args: object = {}, options = {}) =>
  opened.session.request('tools/call', { name, arguments: args }, options);
const slow = async () => (await openStdio(harness, 'slow')).session;
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const failureOf = (promise: Promise<unknown>): Promise<SessionError> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error) => error as SessionError,
  );

describe('a session', () => {
  it('knows server, era, version and tools after the handshake', () => {
    const { era, protocolVersion, server, tools, transport } = opened.session;
    expect({ era, protocolVersion, transport }).toEqual({
      era: 'legacy',
      protocolVersion: '2025-06-18',
      transport: 'stdio',
    });
    expect(server.serverInfo).toEqual({ name: 'fixture' });
    expect(tools.map(({ name }) => name)).toContain('echo');
  });

  it('lists the tools of a server that lost the question, because it came together with another message', async () => {
    const { session, run } = await openStdio(harness, 'chunks');
    expect(session.tools.map(({ name }) => name)).toEqual(['echo']);
    await run.line('two at once');
    expect(session.inFlight()).toBe(0);
  });

  it('gives each of many concurrent calls its own answer', async () => {
    const messages = Array.from({ length: 500 }, (_, n) => `message ${n} ü✓`);
    const answers = await Promise.all(messages.map((message) => call('echo', { message })));
    expect(answers).toEqual(messages.map(text));
    expect(opened.session.inFlight()).toBe(0);
  });

  it('passes params on untouched', async () => {
    const params = { name: 'seen', arguments: { a: [1, null] }, 'x-vendor': true, _meta: { mine: 1 } };
    const answer = (await opened.session.request('tools/call', params)) as ReturnType<typeof text>;
    expect(JSON.parse(answer.content[0]!.text)).toEqual(params);
  });

  it('keeps the modern envelope from a server of the legacy era', async () => {
    const _meta = { mine: 1, 'io.modelcontextprotocol/clientCapabilities': {} };
    const answer = (await opened.session.request('tools/call', { name: 'seen', _meta })) as ReturnType<typeof text>;
    expect(JSON.parse(answer.content[0]!.text)).toEqual({ name: 'seen', _meta: { mine: 1 } });
  });

  it('rejects with the JSON-RPC error of the server, verbatim', async () => {
    const error = await failureOf(call('fails'));
    expect(error.fate).toBe('answered');
    expect(error.failure).toMatchObject({
      code: 'CALL_PROTOCOL_ERROR',
      data: { code: -32042, message: 'log in first', data: { url: 'x:y' } },
    });
  });

  it('takes an answer with both result and a null error for the result', async () => {
    const { session } = await openStdio(harness, 'odd');
    expect(await session.request('tools/call', { name: 'nulls' })).toEqual(text('nulls'));
  });

  it('tells of an error that is no error object as it stands', async () => {
    const { session } = await openStdio(harness, 'odd');
    expect((await failureOf(session.request('tools/call', { name: 'scolds' }))).failure).toMatchObject({
      code: 'CALL_PROTOCOL_ERROR',
      message: '"no" (-32603)',
    });
  });

  it('times out, and cancels on the server', async () => {
    const error = await failureOf(call('never', {}, { timeout: 50 }));
    expect(error).toMatchObject({ fate: 'sent-unknown', failure: { code: 'CALL_TIMEOUT' } });
    await opened.run.line('cancelled {"requestId"');
  });

  it('drops a late reply', async () => {
    const session = await slow();
    await failureOf(session.request('late', {}, { timeout: 50 }));
    expect(await session.request('late', {})).toEqual(text('late'));
    expect(session.inFlight()).toBe(0);
  });

  it('is kept waiting by progress, and hears it', async () => {
    const heard: unknown[] = [];
    const onProgress = (progress: unknown) => heard.push(progress);
    expect(await (await slow()).request('steps', {}, { timeout: 400, onProgress })).toEqual(text('done'));
    expect(heard).toMatchObject([{ progress: 1 }, { progress: 2 }, { progress: 3 }]);
  });

  it('ends at the hard timeout, progress or not', async () => {
    const options = { timeout: 400, hardTimeout: 420, onProgress: () => {} };
    const error = await failureOf((await slow()).request('steps', {}, options));
    expect(error.failure.message).toContain('0.42 s, progress or not');
  });

  it('is aborted by a signal, and cancels on the server', async () => {
    const abort = new AbortController();
    const promise = failureOf(call('never', {}, { signal: abort.signal }));
    abort.abort();
    expect((await promise).failure.code).toBe('CALL_CANCELLED');
    await opened.run.line('was aborted');
    expect(opened.session.inFlight()).toBe(0);
  });

  it('sends nothing for a signal that is aborted already', async () => {
    const error = await failureOf(call('echo', { message: 'x' }, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_CANCELLED' } });
  });

  it('settles what is in flight when the program dies, each with its fate', async () => {
    const pending = failureOf(call('never'));
    const fatal = failureOf(call('dies'));
    expect(await pending).toMatchObject({ fate: 'sent-unknown', failure: { code: 'CALL_INTERRUPTED' } });
    expect((await fatal).failure.exit).toEqual({ code: 3, signal: null });
    expect(await opened.session.closed).toMatchObject({ code: 'RUN_EXITED', exit: { code: 3 } });
    expect(await failureOf(call('echo'))).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_INTERRUPTED' } });
  });

  it('is lost when the program lives but takes no more input', async () => {
    const { session } = await openStdio(harness, 'odd');
    expect(await session.request('tools/call', { name: 'deaf' })).toEqual(text('deaf'));
    const calling = setInterval(() => session.request('ping', {}).catch(() => {}), 20);
    expect(await session.closed).toMatchObject({ code: 'RUN_DISCONNECTED' });
    clearInterval(calling);
    expect(await failureOf(session.request('ping', {}))).toMatchObject({ fate: 'not-sent' });
  });

  it('delivers an answer that was written just before the program ended', async () => {
    const { session } = await openStdio(harness, 'last-words');
    expect(await session.request('tools/call', { name: 'last' })).toEqual(text('farewell '.repeat(20_000)));
    expect(await session.closed).toMatchObject({ code: 'RUN_EXITED', exit: { code: 0 } });
  });

  it('settles what is in flight when it is closed, and says that we did it', async () => {
    const pending = failureOf(call('never'));
    opened.session.close(createFailure('CALL_STOPPED'));
    opened.session.close(createFailure('INTERNAL_CLOSED'));
    expect((await pending).failure).toMatchObject({ code: 'CALL_INTERRUPTED', data: { reason: 'CALL_STOPPED' } });
    expect(await opened.session.closed).toBeNull();
  });

  it('refuses a request over the limit before writing it, and the server lives on', async () => {
    const error = await failureOf(call('echo', { message: 'x'.repeat(12_000_000) }));
    expect(error).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_TOO_LARGE' } });
    const nearly = 'x'.repeat(harness.context.limits.maxMessage - 200);
    expect(await call('echo', { message: nearly })).toEqual(text(nearly));
  });

  it('counts the bytes of a request, not its characters', async () => {
    const error = await failureOf(call('echo', { message: 'ü'.repeat(6_000_000) }));
    expect(error.failure.code).toBe('CALL_TOO_LARGE');
  });

  it('drops an answer over the limit, fails its request alone and goes on', async () => {
    const beside = call('echo', { message: 'beside' });
    const error = await failureOf(call('big', { bytes: 17_000_000 }));
    expect(error).toMatchObject({ fate: 'answered', failure: { code: 'CALL_RESULT_TOO_LARGE' } });
    expect(await beside).toEqual(text('beside'));
    expect(((await call('big', { bytes: 16_000_000 })) as ReturnType<typeof text>).content[0]!.text).toHaveLength(16e6);
  });

  it('answers a ping, refuses every other request of the server, and tells of both', async () => {
    const heard: unknown[] = [];
    const session = await slow();
    session.onMessage((message) => heard.push(message.method));
    expect(await session.request('asks', {})).toEqual(text('asked'));
    expect(heard).toEqual(['ping', 'roots/list']);
  });

  it('refuses parameters that are no JSON, sending nothing', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const error = await failureOf(opened.session.request('tools/call', circle));
    expect(error).toMatchObject({ fate: 'not-sent', failure: { code: 'CALL_BAD_ARGUMENTS' } });
    expect(opened.session.inFlight()).toBe(0);
  });
});
