import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen as listenOn } from '../../../src/gateway/http/serve-http.ts';
import { puppet } from '../../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from '../gateway-stage.ts';

interface Event {
  readonly id?: string;
  readonly event?: string;
  readonly data: Record<string, never>;
}

/** Reads events until one fits; keeps those that it saw. */
async function listen(stage: GatewayStage, query = '', headers: Record<string, string> = {}) {
  const controller = new AbortController();
  const response = await stage.get(`/events${query}`, { headers, signal: controller.signal });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const seen: Event[] = [];
  let text = '';
  async function until(fits: (event: Event) => boolean): Promise<Event> {
    for (let at = 0; ; ) {
      for (; at < seen.length; at += 1) if (fits(seen[at]!)) return seen[at]!;
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      text += value;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: ?(.*)/s, 2)));
        if (fields.data !== undefined) seen.push({ ...fields, data: JSON.parse(fields.data) });
      }
    }
  }
  return { seen, until, [Symbol.dispose]: () => controller.abort() };
}

const stateOf = ({ data }: Event) => (data as { state?: string }).state;

describe('/events', () => {
  it('tells the state of all first, then each change, and again from where one was', async () => {
    await using stage = await createGatewayStage({ p: puppet(), q: puppet() });
    using first = await listen(stage);
    const { data } = await first.until(({ event }) => event === 'plugins');
    expect(data).toMatchObject({ plugins: [{ name: 'p', state: 'absent' }, { name: 'q' }] });
    await stage.supervisor.start('p');
    const ready = await first.until((event) => stateOf(event) === 'ready');
    expect(ready).toMatchObject({ event: 'plugin:state', data: { plugin: 'p', generation: 1 } });
    const launching = first.seen.find((event) => stateOf(event) === 'launching');

    using again = await listen(stage, '', { 'last-event-id': launching?.id ?? '' });
    await again.until(({ id }) => id === ready.id);
    const states = first.seen.filter(({ event }) => event === 'plugin:state').map(stateOf);
    expect(again.seen.map(stateOf)).toEqual(states.slice(states.indexOf('launching') + 1));

    using stranger = await listen(stage, '', { 'last-event-id': 'of-another-life-7' });
    expect((await stranger.until(() => true)).event).toBe('plugins');

    await stage.supervisor.remove('p');
    expect(await first.until(({ event }) => event === 'plugin:removed')).toMatchObject({ data: { plugin: 'p' } });
  });

  it('tells lines of output to who asks for them, of the plugins that were asked for', async () => {
    await using stage = await createGatewayStage({ p: puppet('banner'), q: puppet('banner') });
    using mine = await listen(stage, '?logs=true&plugin=q');
    using silent = await listen(stage, '?plugin=q');
    await stage.supervisor.start('p');
    await stage.supervisor.start('q');
    expect(await mine.until(({ event }) => event === 'plugin:log')).toMatchObject({
      data: { plugin: 'q', text: 'Welcome!' },
    });
    await silent.until((event) => stateOf(event) === 'ready');
    expect(silent.seen.some(({ event }) => event === 'plugin:log')).toBe(false);
    for (const { event, data } of [...mine.seen, ...silent.seen]) {
      if (event !== 'plugins') expect(data).toMatchObject({ plugin: 'q' });
    }
  });

  it('keeps nothing for a caller who hung up before', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    let written = 0;
    const served = createServer((request, response) => {
      response.once('close', () => {
        response.write = () => {
          written += 1;
          return true;
        };
        stage.gateway.handle(request, response);
      });
      response.destroy();
    });
    const { port } = (await listenOn(served, { port: 0, host: '127.0.0.1' })) as AddressInfo;
    await expect(fetch(`http://127.0.0.1:${port}/events`)).rejects.toThrow();
    await stage.supervisor.start('p');
    expect(written).toBe(0);
    served.close();
  });

  it('ends with the gateway', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    using listening = await listen(stage);
    await listening.until(() => true);
    await stage.gateway.close();
    await expect(listening.until(() => false)).rejects.toThrow('the stream ended');
    expect((await stage.get('/plugins')).status).toBe(503);
  });
});
