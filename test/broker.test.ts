import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Instance, Session } from '../actors/context.ts';
import { SessionError } from '../actors/mcp/session-error.ts';
import type { SupervisorCommand } from '../machines/events.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';
import { createBroker, defaultBrokerTiming } from '../src/broker.ts';
import type { CallOptions } from '../src/options.ts';

const interrupted = (fate: 'not-sent' | 'sent-unknown') => new SessionError(createFailure('CALL_INTERRUPTED'), fate);

/** The machines as the broker sees them: a snapshot to look at, and a list of what they were told. */
function world({ trace = false } = {}) {
  const sent: SupervisorCommand[] = [];
  const now = { state: 'absent' as PluginState, generation: 0, unrouted: false };
  const instances = new Map<string, Instance>();
  const broker = createBroker({
    send: (event) => sent.push(event),
    view: (plugin) =>
      plugin === 'p' ? { ...now, open: !now.unrouted && (now.state === 'ready' || now.state === 'idle') } : null,
    instances,
    callTimeout: () => undefined,
    timing: defaultBrokerTiming,
    trace,
  });
  const enter = (state: PluginState, failure: Failure | null = null) => {
    now.state = state;
    broker.hear({ type: 'plugin.entered', plugin: 'p', state, generation: now.generation, failure });
  };
  const open = (transport: Session['transport'] = 'stdio') => {
    now.generation++;
    let end: (reason: Failure | null) => void = () => {};
    const closed = new Promise<Failure | null>((resolve) => {
      end = resolve;
    });
    const session = { generation: now.generation, closed, close: end, tools: [], transport } as unknown as Session;
    instances.set('p', { generation: now.generation, session } as unknown as Instance);
    enter('ready');
    return { session, end };
  };
  const calls = () => sent.flatMap((event) => (event.type === 'CALL' ? [event.callId] : []));
  const traffic = () => sent.flatMap((event) => (event.type === 'traffic' ? [event.event.type] : []));
  const admit = (callId: string) =>
    broker.hear({ type: 'call.admitted', plugin: 'p', callId, generation: now.generation });
  const call = (
    perform: (session: Session) => Promise<unknown>,
    { repeatable = false, ...options }: CallOptions & { repeatable?: boolean } = {},
  ) => broker.exchange('p', { send: perform, repeatable: () => repeatable }, options);
  return { broker, sent, now, enter, open, calls, traffic, admit, call };
}

function later() {
  let finish: (value: string) => void = () => {};
  const promise = new Promise<string>((resolve) => {
    finish = resolve;
  });
  return { promise, finish };
}

const flush = () => vi.advanceTimersByTimeAsync(0);

describe('the broker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('writes at once to a plugin that is ready, without a CALL', async () => {
    const { open, call, calls } = world();
    open();
    await expect(call(async () => 'answer')).resolves.toBe('answer');
    expect(calls()).toEqual([]);
  });

  it('sends every call through the machines with `trace`', async () => {
    const { open, call, calls, admit } = world({ trace: true });
    open();
    const answer = call(async () => 'answer');
    expect(calls()).toHaveLength(1);
    admit(calls()[0]!);
    await expect(answer).resolves.toBe('answer');
  });

  it('holds a call until it is admitted', async () => {
    const { open, call, calls, admit } = world();
    const perform = vi.fn(async () => 'answer');
    const answer = call(perform);
    await flush();
    expect(perform).not.toHaveBeenCalled();
    open();
    admit(calls()[0]!);
    await expect(answer).resolves.toBe('answer');
  });

  it('passes a rejection on with its failure, as not sent', async () => {
    const { call, calls, broker } = world();
    const answer = call(async () => 'answer');
    broker.hear({ type: 'call.rejected', plugin: 'p', callId: calls()[0]!, failure: createFailure('CALL_STOPPED') });
    await expect(answer).rejects.toMatchObject({ code: 'CALL_STOPPED', plugin: 'p', data: { fate: 'not-sent' } });
  });

  it('tells the machines the edges of traffic only', async () => {
    const { open, call, traffic } = world();
    open();
    for (let index = 0; index < 50; index++) await call(async () => index);
    expect(traffic()).toEqual([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(traffic()).toEqual(['calls.quiet']);
    await call(async () => 'again');
    await call(async () => 'and again');
    expect(traffic()).toEqual(['calls.quiet', 'calls.busy']);
  });

  it('is not quiet while a call is in flight', async () => {
    const { open, call, traffic } = world();
    open();
    const { promise, finish } = later();
    const answer = call(() => promise);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(traffic()).toEqual([]);
    finish('late');
    await answer;
    await vi.advanceTimersByTimeAsync(2000);
    expect(traffic()).toEqual(['calls.quiet']);
  });

  it('says drained when the last call ends while stopping', async () => {
    const { open, call, enter, traffic } = world();
    open();
    const { promise, finish } = later();
    const answer = call(() => promise);
    await flush();
    enter('stopping');
    expect(traffic()).toEqual([]);
    finish('done');
    await answer;
    expect(traffic()).toEqual(['calls.drained']);
  });

  it('sends a call that did not leave once more, after the exit was seen', async () => {
    const { open, call, enter, calls, admit } = world();
    open();
    const perform = vi.fn().mockRejectedValueOnce(interrupted('not-sent')).mockResolvedValueOnce('answer');
    const answer = call(perform);
    await flush();
    enter('stopping');
    await flush();
    enter('launching');
    open();
    admit(calls()[0]!);
    await expect(answer).resolves.toBe('answer');
    expect(perform).toHaveBeenCalledTimes(2);
  });

  it('fails a call whose fate is unknown, once and with that fate', async () => {
    const { open, call } = world();
    open();
    const perform = vi.fn().mockRejectedValue(interrupted('sent-unknown'));
    await expect(call(perform)).rejects.toMatchObject({ code: 'CALL_INTERRUPTED', data: { fate: 'sent-unknown' } });
    expect(perform).toHaveBeenCalledTimes(1);
  });

  it('repeats a call whose fate is unknown where the tool allows it, but only once', async () => {
    const { open, call, enter, calls, admit } = world();
    open();
    const perform = vi.fn().mockRejectedValue(interrupted('sent-unknown'));
    const answer = call(perform, { repeatable: true });
    const settled = expect(answer).rejects.toMatchObject({ data: { fate: 'sent-unknown' } });
    await flush();
    enter('stopping');
    await flush();
    open();
    admit(calls()[0]!);
    await settled;
    expect(perform).toHaveBeenCalledTimes(2);
  });

  it('reports a connection that is gone when no exit follows', async () => {
    const { open, traffic } = world();
    const { end } = open();
    end(createFailure('RUN_DISCONNECTED'));
    await flush();
    expect(traffic()).toEqual([]);
    await vi.advanceTimersByTimeAsync(defaultBrokerTiming.exit);
    expect(traffic()).toContain('session.closed');
  });

  it('keeps a session of which one exchange alone broke', async () => {
    const { open, call, calls, traffic } = world();
    open('streamable-http');
    const { promise, finish } = later();
    const beside = call(() => promise);
    const broken = expect(call(() => Promise.reject(interrupted('sent-unknown')))).rejects.toMatchObject({
      code: 'CALL_INTERRUPTED',
    });
    await vi.advanceTimersByTimeAsync(defaultBrokerTiming.exit);
    await broken;
    finish('well');
    await expect(beside).resolves.toBe('well');
    await expect(call(async () => 'after')).resolves.toBe('after');
    expect(traffic()).not.toContain('session.closed');
    expect(calls()).toEqual([]);
  });

  it('keeps it too when the plugin is unrouted for a while in the meantime', async () => {
    const { open, call, calls, enter, now } = world();
    open('streamable-http');
    const broken = expect(call(() => Promise.reject(interrupted('sent-unknown')))).rejects.toMatchObject({
      code: 'CALL_INTERRUPTED',
    });
    await flush();
    now.unrouted = true;
    enter('ready', createFailure('RUN_NOT_READY'));
    await vi.advanceTimersByTimeAsync(defaultBrokerTiming.exit);
    await broken;
    now.unrouted = false;
    enter('ready');
    await expect(call(async () => 'after')).resolves.toBe('after');
    expect(calls()).toEqual([]);
  });

  it('names the exit that broke an HTTP exchange', async () => {
    const { open, call, enter } = world();
    const { end } = open('streamable-http');
    const exit = { code: 7, signal: null };
    const broken = expect(call(() => Promise.reject(interrupted('sent-unknown')))).rejects.toMatchObject({
      code: 'CALL_INTERRUPTED',
      exit,
      stderrTail: ['last words'],
      data: { fate: 'sent-unknown' },
    });
    await flush();
    end(createFailure('RUN_EXITED', { exit, stderrTail: ['last words'] }));
    await flush();
    enter('stopping');
    await broken;
  });

  it('names the exit that the machines saw before the session did', async () => {
    const { open, call, enter } = world();
    open('streamable-http');
    const exit = { code: 7, signal: null };
    const broken = expect(call(() => Promise.reject(interrupted('sent-unknown')))).rejects.toMatchObject({ exit });
    await flush();
    enter('stopping', createFailure('RUN_EXITED', { exit }));
    await broken;
  });

  it('waits as long as a timer can for a startTimeout beyond it', async () => {
    const { call, open, calls, admit } = world();
    const answer = call(async () => 'answer', { startTimeout: 2 ** 40 });
    await vi.advanceTimersByTimeAsync(60_000);
    open();
    admit(calls()[0]!);
    await expect(answer).resolves.toBe('answer');
  });

  it('gives a held call 30 s from the start of launching, and withdraws it then', async () => {
    const { call, enter, traffic } = world();
    const answer = call(async () => 'answer');
    const settled = expect(answer).rejects.toMatchObject({ code: 'CALL_START_TIMEOUT', data: { fate: 'not-sent' } });
    enter('installing');
    await vi.advanceTimersByTimeAsync(9 * 60_000);
    enter('launching');
    enter('probing');
    await vi.advanceTimersByTimeAsync(29_999);
    expect(traffic()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(traffic()).toEqual(['call.cancelled']);
  });

  it('gives a call to an unrouted plugin 30 s, however often it is told that it is unrouted', async () => {
    const { call, open, enter, now } = world();
    open();
    now.unrouted = true;
    enter('ready', createFailure('RUN_UNRESPONSIVE'));
    const settled = expect(call(async () => 'answer')).rejects.toMatchObject({ code: 'CALL_START_TIMEOUT' });
    for (let second = 0; second < 30; second += 1) {
      enter('ready', createFailure('RUN_UNRESPONSIVE'));
      await vi.advanceTimersByTimeAsync(1000);
    }
    await settled;
  });

  it('lets the caller’s own startTimeout and signal end the waiting', async () => {
    const { call, traffic } = world();
    const abort = new AbortController();
    const late = expect(call(async () => 1, { startTimeout: 50 })).rejects.toMatchObject({
      code: 'CALL_START_TIMEOUT',
    });
    const aborted = expect(call(async () => 1, { signal: abort.signal })).rejects.toMatchObject({
      code: 'CALL_CANCELLED',
    });
    abort.abort();
    await vi.advanceTimersByTimeAsync(50);
    await Promise.all([late, aborted]);
    expect(traffic()).toEqual(['call.cancelled', 'call.cancelled']);
  });

  it('sends no CALL for a signal that is aborted already', async () => {
    const { call, calls } = world();
    await expect(call(async () => 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CALL_CANCELLED',
    });
    expect(calls()).toEqual([]);
  });

  it('rejects whatever waits when it closes', async () => {
    const { call, broker } = world();
    const answer = expect(call(async () => 1)).rejects.toMatchObject({ code: 'INTERNAL_CLOSED' });
    broker.close();
    await answer;
  });
});
