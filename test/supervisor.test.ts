import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { SupervisorError } from '../src/errors.ts';
import type { PluginOptions, Supervisor, SupervisorOptions } from '../src/options.ts';
import { createSupervisor } from '../src/supervisor.ts';
import { createHome, type TestHome } from './support/home.ts';
import { expectNothingLeft } from './support/leftovers.ts';

const source = fileURLToPath(new URL('../fixtures/processes/mcp', import.meta.url));
const plugin = (name: string, more: Partial<PluginOptions> = {}): PluginOptions => ({
  source,
  command: ['node', `${name}.mjs`],
  install: [],
  build: [],
  ...more,
});
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const boom = () => {
  throw new Error('boom');
};

let home: TestHome;
let supervisor: Supervisor;
const start = (options: SupervisorOptions) => {
  supervisor = createSupervisor({ home: home.path, ...options });
  return supervisor;
};
beforeEach(async () => {
  home = await createHome();
});
afterEach(async () => {
  await supervisor.close();
  await expectNothingLeft(home);
  await home[Symbol.asyncDispose]();
});

describe('what users throw', () => {
  it('from onProgress and onMessage takes no answer along', async () => {
    const error = vi.fn();
    start({ plugins: { odd: plugin('odd') }, logger: { debug() {}, info() {}, warn() {}, error } });
    const link = await supervisor.open('odd');
    link.onMessage(boom);
    const answer = supervisor.call('odd', { tool: 'tells' }, { timeout: 5000, onProgress: boom });
    await expect(answer).resolves.toEqual(text('told'));
    expect(error.mock.calls.map(([, message]) => message)).toEqual(['a listener threw', 'a listener threw']);
  });

  it('from a logger, an inspector and listeners changes nothing', async () => {
    start({
      plugins: { odd: plugin('odd') },
      logger: { debug: boom, info: boom, warn: boom, error: boom },
      inspect: boom,
    });
    supervisor.on('plugin:state', boom);
    await expect(supervisor.call('odd', { tool: 'tells' })).resolves.toEqual(text('told'));
  });
});

describe('errors', () => {
  it('of a link are those of a call', async () => {
    start({ plugins: { odd: plugin('odd') } });
    const link = await supervisor.open('odd');
    const error = await link.request('tools/call', { name: 'scolds' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SupervisorError);
    expect(error).toMatchObject({ code: 'CALL_PROTOCOL_ERROR', plugin: 'odd', data: { fate: 'answered' } });
  });

  it.each([null, undefined, 'echo', 7])('name a payload that is none: %s', async (payload) => {
    start({ plugins: { odd: plugin('odd') } });
    await expect(supervisor.call('odd', payload as never)).rejects.toMatchObject({ code: 'CALL_BAD_ARGUMENTS' });
  });

  it('name an event that there is not', () => {
    start({});
    expect(() => supervisor.on('plugin:redy' as never, () => {})).toThrow(/'plugin:redy' is no event .*plugin:ready/);
  });

  it('of a start that was cancelled before it began leave the plugin alone', async () => {
    start({ plugins: { demo: plugin('tools') } });
    await expect(supervisor.start('demo', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CALL_CANCELLED',
    });
    expect(supervisor.status('demo').state).toBe('absent');
  });

  it('name a state that there is not', async () => {
    start({ plugins: { odd: plugin('odd') } });
    await expect(supervisor.waitFor('odd', 'redy' as never)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('closing', () => {
  it('ends every wait for a state that can not come any more', async () => {
    start({ plugins: { odd: plugin('odd') } });
    const waiting = expect(supervisor.waitFor('odd', 'ready')).rejects.toMatchObject({ code: 'INTERNAL_CLOSED' });
    await supervisor.close();
    await waiting;
    await expect(supervisor.waitFor('odd', 'ready')).rejects.toMatchObject({ code: 'INTERNAL_CLOSED' });
    await expect(supervisor.waitFor('odd', 'absent')).resolves.toMatchObject({ state: 'absent' });
  });

  it('resolves a remove before, during and after it', async () => {
    start({ plugins: { a: plugin('odd'), b: plugin('odd'), c: plugin('odd') } });
    await Promise.all(['a', 'b', 'c'].map((name) => supervisor.start(name)));
    const before = supervisor.remove('a');
    const closed = supervisor.close();
    await Promise.all([before, supervisor.remove('b'), closed]);
    await supervisor.remove('c');
  });

  it('does not wait for a link that nobody closed', async () => {
    start({ plugins: { odd: plugin('odd') } });
    const link = await supervisor.open('odd');
    const stopped = supervisor.stop('odd');
    expect(supervisor.status('odd').subState).toBe('closing');
    await stopped;
    await link.closed;
  });
});

it('takes a plugin with a name that every object has', async () => {
  start({ plugins: {} });
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
    supervisor.add(name, plugin('odd'));
    await expect(supervisor.call(name, { tool: 'nulls' })).resolves.toEqual(text('nulls'));
    await Promise.all([supervisor.remove(name), supervisor.stop(name)]);
  }
  expect(supervisor.list()).toEqual([]);
});

it('shows the values of a plugin’s environment to nobody but the plugin', async () => {
  const secret = 'hunter2-very-secret';
  const seen: InspectionEvent[] = [];
  const logged: unknown[] = [];
  const log = (...line: unknown[]) => logged.push(line);
  start({
    plugins: {
      p: plugin('prints-env', {
        command: ['node', '../prints-env.mjs'],
        env: { MY_TOKEN: secret },
        restart: 'temporary',
      }),
    },
    defaults: { env: { OTHER_TOKEN: secret } },
    inspect: (event) => seen.push(event),
    logger: { debug() {}, info: log, warn: log, error: log },
  });
  const error = await supervisor.start('p').catch((thrown: unknown) => thrown);
  const snapshot = supervisor.actor.getPersistedSnapshot();
  expect(seen.length).toBeGreaterThan(10);
  for (const shown of [error, supervisor.status(), supervisor.history('p'), logged, snapshot]) {
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect(inspect(shown, { depth: 20 })).not.toContain(secret);
  }
  expect(inspect(seen, { depth: 12, maxArrayLength: null })).not.toContain(secret);
  expect(JSON.stringify(snapshot)).toContain('"MY_TOKEN":"[redacted]"');
});

it('takes one signal for any number of calls, held and in flight, without a warning of Node', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  start({ plugins: { tools: plugin('tools') } });
  const abort = new AbortController();
  const call = (tool: string) => supervisor.call('tools', { tool }, { signal: abort.signal });
  const calls = Array.from({ length: 50 }, () => call('seen'));
  await Promise.all(calls);
  const hanging = Array.from({ length: 50 }, () => call('never').catch((error: SupervisorError) => error.code));
  await call('seen');
  abort.abort();
  expect(new Set(await Promise.all(hanging))).toEqual(new Set(['CALL_CANCELLED']));
  await new Promise(setImmediate);
  process.off('warning', warned);
  expect(warned).not.toHaveBeenCalled();
});
