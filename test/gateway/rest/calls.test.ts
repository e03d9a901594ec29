import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parsePath } from '../../../src/gateway/http/routes.ts';
import { eventually, linesOf, logOf, puppet } from '../../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from '../gateway-stage.ts';

const MB = 1_000_000;
const metricsOf = async (stage: GatewayStage) => (await stage.get('/metrics')).text();

describe('POST /plugins/:name', () => {
  it('starts the plugin and answers with the result, verbatim', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.post('/plugins/p', { tool: 'echo', arguments: { message: 'hello' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({ content: [{ type: 'text', text: 'hello' }] });

    const listed = await stage.post('/plugins/p', { method: 'tools/list' });
    expect(((await listed.json()) as { tools: unknown[] }).tools.length).toBeGreaterThan(5);
  });

  it('takes 1 MB and 9 MB, and refuses 12 MB to a stdio plugin and 17 MB anywhere without a plugin dying of it', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const send = (bytes: number) =>
      stage.post('/plugins/p', { tool: 'echo', arguments: { message: 'x'.repeat(bytes) } });
    for (const size of [MB, 9 * MB]) {
      const response = await send(size);
      expect(response.status).toBe(200);
      expect((await response.text()).length).toBeGreaterThan(size);
    }
    const { pid } = stage.supervisor.status('p');
    for (const [size, code] of [
      [12 * MB, 'CALL_TOO_LARGE'],
      [17 * MB, 'HTTP_TOO_LARGE'],
    ] as const) {
      const response = await send(size);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code } });
    }
    expect((await send(10)).status).toBe(200);
    expect(stage.supervisor.status('p')).toMatchObject({ pid, generation: 1 });
  });

  it('refuses a body of unknown length once it has become too large', async () => {
    await using stage = await createGatewayStage({ p: puppet() }, { maxBody: 1000 });
    const body = new ReadableStream({
      start(controller) {
        for (let chunk = 0; chunk < 50; chunk += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(100)));
        controller.close();
      },
    });
    const response = await stage.get('/plugins/p', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
  });

  it.each([
    ['no JSON', 'CALL_NOT_JSON', '{"tool":'],
    ['no object', 'CALL_BAD_ARGUMENTS', '[1]'],
    ['no payload that it knows', 'CALL_BAD_ARGUMENTS', '{"what":1}'],
  ])('says 400 to %s', async (_what, code, body) => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.post('/plugins/p', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code, phase: 'call', plugin: 'p', hint: expect.stringMatching(/\.$/), stderrTail: [] },
    });
  });

  it('says 404 to a plugin that is not there', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.post('/plugins/q', { tool: 'echo' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'CONFIG_UNKNOWN_PLUGIN', plugin: 'q' } });
  });

  it('says 504 when no answer came within ?timeout=', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.post('/plugins/p?timeout=50ms', { tool: 'never' });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ error: { code: 'CALL_TIMEOUT', fate: 'sent-unknown' } });
  });

  it('says 502 with the fate of the call when the plugin dies of it', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.post('/plugins/p', { tool: 'exit', arguments: { code: 3 } });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'CALL_INTERRUPTED', fate: 'sent-unknown' } });
  });

  it('says 503 with Retry-After while the plugin starts', async () => {
    await using stage = await createGatewayStage({ p: puppet('silent') });
    const response = await stage.post('/plugins/p?startTimeout=50ms', { tool: 'echo' });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error: { code: 'CALL_START_TIMEOUT', retryAfter: expect.any(Number) },
    });
  });

  it('says 503 with Retry-After and the last words of a plugin that is parked', async () => {
    await using stage = await createGatewayStage(
      { p: puppet('exit:3') },
      {},
      { restartPolicy: { maxFailedStarts: 1 } },
    );
    const response = await stage.post('/plugins/p', { tool: 'echo' });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error: { code: 'LAUNCH_EXITED', phase: 'launch', stderrTail: ['last words'] },
    });
  });

  it('says 503 without Retry-After when the operator has stopped it', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    await stage.post('/plugins/p/stop');
    const response = await stage.post('/plugins/p', { tool: 'echo' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await response.json()).toMatchObject({ error: { code: 'CALL_STOPPED' } });
  });

  it('says 429 with Retry-After when too many calls wait', async () => {
    await using stage = await createGatewayStage({ p: puppet('silent') });
    const first = Array.from({ length: 100 }, () => stage.post('/plugins/p?startTimeout=2m', { tool: 'echo' }));
    await eventually(() => stage.supervisor.status('p').held === 100);
    const response = await stage.post('/plugins/p', { tool: 'echo' });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: { code: 'CALL_QUEUE_FULL' } });
    await stage.supervisor.stop('p');
    expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([503]));
  });

  it('cancels the call of a caller who hangs up, and sends nothing', async () => {
    await using stage = await createGatewayStage({});
    const log = logOf(stage.home);
    stage.supervisor.add('p', puppet('', { env: { PUPPET_LOG: log } }));
    const caller = new AbortController();
    const call = stage.post('/plugins/p', { tool: 'never' }, { signal: caller.signal });
    await eventually(async () => (await linesOf(log)).includes('call never'));
    caller.abort();
    await expect(call).rejects.toThrow();
    await eventually(async () => (await linesOf(log)).some((line) => line.startsWith('cancelled ')));
    const text = await eventually(async () => {
      const metrics = await (await stage.get('/metrics')).text();
      return metrics.includes('status="499"') && metrics;
    });
    expect(text).toContain('mcp_supervisor_http_requests_total{route="/plugins/:name",status="499"} 1');
  });
});

describe('the connection', () => {
  it('may end in the middle of a body', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
    socket.write('POST /plugins/p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"tool":');
    await eventually(async () => (await metricsOf(stage)).includes('http_requests_in_flight 2'));
    socket.destroy();
    await eventually(async () => (await metricsOf(stage)).includes('route="/plugins/:name",status="499"} 1'));
    expect(stage.supervisor.status('p').generation).toBe(0);
  });

  it('may carry one request right behind another', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const call = (message: string) => {
      const body = JSON.stringify({ message });
      return `POST /plugins/p/tools/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    };
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1').setEncoding('utf8');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write(call('first') + call('second') + call('third'));
    await eventually(() => text.endsWith('third'));
    expect(text.match(/first|second|third/g)).toEqual(['first', 'second', 'third']);
    socket.destroy();
  });
});

describe('?session=', () => {
  it('leads to the same process again, where each session has one', async () => {
    await using stage = await createGatewayStage({ p: puppet('', { instances: 'per-session' }) });
    const pid = async (session: string) => (await stage.post(`/plugins/p/tools/pid?session=${session}`)).text();
    const [one, other] = [await pid('one'), await pid('other')];
    expect(Number(one)).toBeGreaterThan(0);
    expect(other).not.toBe(one);
    expect(await pid('one')).toBe(one);
  });
});

describe('POST /plugins/:name/tools/:tool', () => {
  it('answers with the text, or with the JSON that it is', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const echo = (message: string, headers = {}) => stage.post('/plugins/p/tools/echo', { message }, { headers });
    const text = await echo('good day');
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toBe('good day');
    expect(await (await echo('{"a":[1]}')).json()).toEqual({ a: [1] });
    expect(await (await echo('good day', { accept: 'application/json' })).json()).toBe('good day');
    expect(Number(await (await stage.post('/plugins/p/tools/pid')).text())).toBe(stage.supervisor.status('p').pid);
  });

  it('decodes names segment by segment', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    expect((await stage.post('/plugins/%70/tools/%65cho', { message: 'x' })).status).toBe(200);
    expect(parsePath('/plugins/p/tools/a%2Fb')).toEqual(['plugins', 'p', 'tools', 'a/b']);
    expect((await stage.get('/plugins/%')).status).toBe(400);
  });
});
