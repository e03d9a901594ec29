import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createMeter, LATENCY_BUCKETS } from '../src/meter.ts';
import type { PluginMetrics, Supervisor } from '../src/options.ts';
import { createStage, eventually, linesOf, puppet } from './reliability/stage.ts';

const metricsOf = (supervisor: Supervisor, name: string): PluginMetrics =>
  supervisor.metrics().find(({ plugin }) => plugin === name)!;

describe('the counters of a plugin', () => {
  test('begin at nothing', async () => {
    await using stage = await createStage({ plugins: { a: puppet() } });
    expect(metricsOf(stage.supervisor, 'a')).toMatchObject({
      plugin: 'a',
      state: 'absent',
      calls: { ok: 0, toolErrors: 0, failed: {} },
      inFlight: 0,
      held: 0,
      rejected: 0,
      latency: { sum: 0, count: 0 },
      starts: 0,
      restarts: 0,
      relaunches: 0,
      spawns: 0,
      crashes: 0,
      noiseLines: 0,
      lateReplies: 0,
      logBytes: 0,
    });
    await stage.supervisor.close();
    expect(existsSync(stage.home.path)).toBe(false);
  });

  test('tell calls by their outcome, and how long the answered ones took', async () => {
    await using stage = await createStage({ plugins: { a: puppet() } });
    const { supervisor } = stage;
    const call = (tool: string, args: object, options = {}) =>
      supervisor.call('a', { tool, arguments: { ...args } }, options).catch(() => undefined);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const answer = (body: string) => call('chunks', { base64: [base64(`{"jsonrpc":"2.0","id":ID,${body}}\n`)] });
    await call('echo', { message: 'x' });
    await call('echo', { message: 'y' });
    await answer('"result":{"isError":true,"content":[]}');
    await answer('"error":{"code":1,"message":"no"}');
    await call('slow', { ms: 3_000 }, { timeout: 50 });
    const never = call('never', {});
    await eventually(() => metricsOf(supervisor, 'a').inFlight === 1);
    await eventually(() => metricsOf(supervisor, 'a').lateReplies === 1);
    const { calls, latency } = metricsOf(supervisor, 'a');
    expect(calls).toEqual({ ok: 2, toolErrors: 1, failed: { CALL_PROTOCOL_ERROR: 1, CALL_TIMEOUT: 1 } });
    expect(latency.count).toBe(3);
    expect(latency.buckets.at(-1)).toEqual({ le: Number.POSITIVE_INFINITY, count: 3 });
    expect(latency.sum).toBeGreaterThan(0);

    const link = await supervisor.open('a');
    await link.request('tools/list');
    await link.request('nonsense').catch(() => undefined);
    expect(metricsOf(supervisor, 'a').calls).toMatchObject({ ok: 3, failed: { CALL_PROTOCOL_ERROR: 2 } });
    link.close();

    await supervisor.stop('a');
    await never;
    await call('echo', { message: 'z' });
    expect(metricsOf(supervisor, 'a')).toMatchObject({
      state: 'absent',
      rejected: 1,
      inFlight: 0,
      // What a session counted outlives it.
      lateReplies: 1,
      calls: { failed: { CALL_STOPPED: 1, CALL_INTERRUPTED: 1 } },
    });
  });

  test('tell starts from restarts and relaunches, and what was held', async () => {
    await using stage = await createStage({
      plugins: {
        a: puppet('', { restart: 'permanent' }),
        silent: puppet('silent'),
      },
      restartPolicy: { minDelay: 1 },
    });
    const { supervisor } = stage;
    await supervisor.start('a');
    await supervisor.call('a', { tool: 'exit', arguments: { code: 3 } }).catch(() => undefined);
    await eventually(() => metricsOf(supervisor, 'a').restarts === 1);
    await supervisor.waitFor('a', 'ready');
    await supervisor.restart('a');
    expect(metricsOf(supervisor, 'a')).toMatchObject({ starts: 3, restarts: 1, spawns: 3, crashes: 1, relaunches: 0 });

    const waits = supervisor.call('silent', { tool: 'echo' }).catch(() => undefined);
    await eventually(() => metricsOf(supervisor, 'silent').state === 'probing');
    expect(metricsOf(supervisor, 'silent')).toMatchObject({ held: 1, inFlight: 0, starts: 1, spawns: 1 });
    await supervisor.stop('silent');
    await waits;
  });

  test('count lines on stdout that are no messages', async () => {
    await using stage = await createStage({ plugins: { a: puppet('banner') } });
    await stage.supervisor.start('a');
    await eventually(() => metricsOf(stage.supervisor, 'a').noiseLines >= 3);
  });
});

test('the latency histogram is cumulative, and counts what is above every bound', () => {
  const meter = createMeter();
  for (const milliseconds of [0.25, 0.3, 7, 100_000]) meter.answered('a', milliseconds, {});
  const { buckets, sum, count } = meter.read('a').latency;
  const at = (le: number) => buckets.find((bucket) => bucket.le === le)?.count;
  expect([at(0.25), at(0.5), at(5), at(10), at(60_000), at(Number.POSITIVE_INFINITY)]).toEqual([1, 2, 2, 3, 3, 4]);
  expect(buckets).toHaveLength(LATENCY_BUCKETS.length + 1);
  expect(count).toBe(4);
  expect(sum).toBeCloseTo(100_007.55);
});

test('what a removal takes down is counted for nobody, neither it nor one of that name after it', () => {
  const meter = createMeter();
  meter.entered('a', 'absent', { begins: false, retried: false, relaunches: 0 });
  meter.failed('a', 'CALL_TIMEOUT');
  expect(meter.read('a').calls.failed).toEqual({ CALL_TIMEOUT: 1 });
  meter.forget('a');
  meter.failed('a', 'CALL_INTERRUPTED');
  meter.rejected('a');
  expect(meter.read('a')).toMatchObject({ rejected: 0, calls: { failed: {} } });
});

describe('the log file of a plugin', () => {
  test('tells its story: states with their reasons, and what it printed', async () => {
    await using stage = await createStage({ plugins: { a: puppet('exit:3', { restart: 'temporary' }) } });
    const { supervisor } = stage;
    const path = supervisor.logFile('a');
    expect(existsSync(path)).toBe(false);
    expect(existsSync(stage.home.path)).toBe(false);
    await supervisor.start('a').catch(() => undefined);
    await supervisor.close();
    const lines = (await linesOf(path)).map((line) => line.replace(/^\S+ /, '').replace(/pid \d+/, 'pid N'));
    expect(lines).toContain('state   cloning · generation 0 · start was asked for');
    expect(lines).toContain('state   probing · generation 1 · pid N');
    expect(lines).toContain('stderr  last words');
    expect(lines.findLast((line) => line.startsWith('state   crashed'))).toMatch(
      /^state {3}crashed · generation 1 · LAUNCH_EXITED /,
    );
    expect((await linesOf(path)).every((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z /.test(line))).toBe(true);
  });

  test('stays when the plugin is removed, and shows no control characters', async () => {
    await using stage = await createStage({ plugins: { a: puppet() } });
    const { supervisor } = stage;
    const path = supervisor.logFile('a');
    const base64 = Buffer.from('\u001b]0;owned\u0007 red\n').toString('base64');
    await supervisor.call('a', { tool: 'raw', arguments: { base64, stream: 'stderr' } });
    await supervisor.remove('a');
    await supervisor.close();
    const text = await readFile(path, 'utf8');
    expect(text).toContain('stderr  \\u{1b}]0;owned\\u{7} red\n');
    expect(text).not.toContain('\u001b');
    expect(text).toMatch(/state {3}removed\n$/);
  });

  test('is not written with `logFiles: false`', async () => {
    await using stage = await createStage({ plugins: { a: puppet() }, logFiles: false });
    await stage.supervisor.start('a');
    await stage.supervisor.close();
    expect(existsSync(stage.supervisor.logFile('a'))).toBe(false);
    expect(metricsOf(stage.supervisor, 'a').logBytes).toBe(0);
  });
});
