import { describe, expect, it } from 'vitest';
import { eventually, fixture, puppet } from '../../reliability/stage.ts';
import { createGatewayStage } from '../gateway-stage.ts';

const PARK_AT_ONCE = { restartPolicy: { maxFailedStarts: 1 } };
const json = async (response: Promise<Response>) => (await response).json() as Promise<Record<string, unknown>>;

describe('what is known of plugins', () => {
  it('is their status, tools, logs and history', async () => {
    await using stage = await createGatewayStage({ p: puppet('banner'), q: puppet() });
    expect(await json(stage.get('/plugins'))).toMatchObject({
      plugins: [{ name: 'p', state: 'absent' }, { name: 'q' }],
    });
    const { tools } = await json(stage.get('/plugins/p/tools'));
    expect(tools).toContainEqual({
      name: 'echo',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true },
    });
    expect(await json(stage.get('/plugins/p'))).toMatchObject({ name: 'p', pid: expect.any(Number), generation: 1 });
    const { history } = (await json(stage.get('/plugins/p/history'))) as { history: { state: string }[] };
    expect(history.map(({ state }) => state)).toEqual(expect.arrayContaining(['launching', 'probing', 'ready']));
    await stage.post('/plugins/p', {
      tool: 'raw',
      arguments: { stream: 'stderr', base64: Buffer.from('one\ntwo\n\u001b[2Jthree\n').toString('base64') },
    });
    await eventually(() => stage.supervisor.logs('p').some(({ text }) => text.includes('three')));
    const { lines } = (await json(stage.get('/plugins/p/logs?tail=2'))) as {
      lines: { text: string; stream: string }[];
    };
    expect(lines.map(({ text }) => text)).toEqual(['two', '\\u{1b}[2Jthree']);
    expect((await stage.get('/plugins/p/logs?tail=no')).status).toBe(400);
    for (const path of ['', '/tools', '/logs', '/history', '/metrics', '/openapi.json']) {
      expect((await stage.get(`/plugins/nobody${path}`)).status).toBe(404);
    }
  });

  it('advises in words of a configuration, wherever advice is given', async () => {
    await using stage = await createGatewayStage({ keyed: { source: fixture('plugins/needs-setting') } });
    const advice = 'Set API_KEY under "env" where this server is configured.';
    expect(await json(stage.post('/plugins/keyed/start'))).toMatchObject({ error: { hint: advice } });
    for (const path of ['/plugins', '/plugins/keyed', '/readyz?plugins=keyed']) {
      const text = await (await stage.get(path)).text();
      expect(text, path).toContain('Set API_KEY');
      expect(text, path).not.toMatch(/--env|run start/i);
    }
  });

  it('is kept while the plugin sleeps', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const { tools } = await json(stage.get('/plugins/p/tools'));
    await stage.post('/plugins/p/stop');
    const { generation } = stage.supervisor.status('p');
    expect(await json(stage.get('/plugins/p/tools'))).toEqual({ tools });
    expect(stage.supervisor.status('p').generation).toBe(generation);
  });
});

describe('running plugins', () => {
  it('is start, stop, restart and reset, each answered when it is done', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    expect(await json(stage.post('/plugins/p/start'))).toMatchObject({ state: 'ready', generation: 1 });
    expect(await json(stage.post('/plugins/p/restart'))).toMatchObject({ state: 'ready', generation: 2 });
    expect(await json(stage.post('/plugins/p/stop'))).toMatchObject({ state: 'absent', pid: null });
    expect(await json(stage.post('/plugins/p/reset'))).toMatchObject({ name: 'p' });
    expect((await stage.post('/plugins/p/explode')).status).toBe(404);
    expect((await stage.get('/plugins/p/start')).status).toBe(405);
    expect((await stage.post('/plugins/q/start')).status).toBe(404);
  });

  it('tells why a start failed', async () => {
    await using stage = await createGatewayStage({ p: puppet('exit:3') }, {}, PARK_AT_ONCE);
    const response = await stage.post('/plugins/p/start?timeout=1m');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { code: 'LAUNCH_EXITED', plugin: 'p', stderrTail: ['last words'] },
    });
  });
});

describe('/readyz', () => {
  it('is ready with nothing asked, and tells of all plugins', async () => {
    await using stage = await createGatewayStage({ p: puppet('exit:3') });
    const response = await stage.get('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      ready: true,
      plugins: [expect.objectContaining({ plugin: 'p', ready: false, state: 'absent', reason: 'sleeping' })],
      tools: [],
    });
  });

  it('says of each plugin and tool why it is not ready, and starts nothing by itself', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.get('/readyz?plugins=p,nobody&tools=echo');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({
      ready: false,
      plugins: [
        {
          plugin: 'p',
          ready: false,
          state: 'absent',
          reason: 'sleeping',
          message: expect.any(String),
          next: expect.any(String),
        },
        { plugin: 'nobody', ready: false, state: null, reason: 'unknown' },
      ],
      tools: [{ tool: 'echo', plugin: null, ready: false, reason: 'unknown' }],
    });
    expect(stage.supervisor.status('p').generation).toBe(0);
  });

  it('starts what is asked for and waits for it', async () => {
    await using stage = await createGatewayStage({ p: puppet('slow:200'), q: puppet() });
    const response = await stage.get('/readyz?tools=p__echo,slow&plugins=p&wait=1m');
    expect(await response.json()).toMatchObject({
      ready: true,
      plugins: [{ plugin: 'p', ready: true, reason: null, message: null }],
      tools: [
        { tool: 'p__echo', plugin: 'p', ready: true },
        { tool: 'slow', ready: true },
      ],
    });
    expect(response.status).toBe(200);
  });

  it('names the code of what failed, without waiting for longer', async () => {
    await using stage = await createGatewayStage({ p: puppet('exit:3'), q: puppet() }, {}, PARK_AT_ONCE);
    await stage.supervisor.stop('q');
    const response = await stage.get('/readyz?plugins=p,q&wait=10m');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      plugins: [
        { plugin: 'p', reason: 'LAUNCH_EXITED', retryAt: expect.any(String) },
        { plugin: 'q', reason: 'CALL_STOPPED' },
      ],
    });
  });

  it('gives up when the time is over', async () => {
    await using stage = await createGatewayStage({ p: puppet('silent') });
    const response = await stage.get('/readyz?plugins=p&wait=100ms');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ plugins: [{ plugin: 'p', reason: 'starting' }] });
    expect((await stage.get('/readyz?wait=soon')).status).toBe(400);
  });
});
