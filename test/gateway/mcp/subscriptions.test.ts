import { describe, expect, it } from 'vitest';
import { everything } from '../../../src/gateway/view.ts';
import { eventually } from '../../reliability/stage.ts';
import { connect, createDesk, type Heard, library } from './desk.ts';

const updated = (heard: readonly Heard[]) =>
  heard.filter(({ method }) => method === 'notifications/resources/updated').map(({ params }) => params);

describe('what clients hear unasked', () => {
  it('tells of a resource whoever follows it, and nobody else, also after a restart', async () => {
    await using desk = await createDesk({ one: library('one') });
    const endpoint = desk.endpoints.plugin('one', everything)!;
    const [first, second, third] = [connect(endpoint), connect(endpoint), connect(endpoint)] as const;
    const uri = 'one://own';
    await first.ask('resources/subscribe', { uri });
    await second.ask('resources/subscribe', { uri });
    await third.ask('resources/subscribe', { uri: 'one://other' });
    await third.call('touch', { uri });
    await eventually(() => updated(second.heard).length > 0);
    expect(updated(first.heard)).toEqual([{ uri, 'x-vendor': 1 }]);
    expect(updated(third.heard)).toEqual([]);
    await first.ask('resources/unsubscribe', { uri });
    expect(await third.call('followed')).toBe('one://own one://other');
    await third.refusal('tools/call', { name: 'dies' });
    await eventually(async () => (await third.call('followed')) === 'one://own one://other');
    await third.call('touch', { uri });
    await eventually(() => updated(second.heard).length === 2);
    expect(updated(first.heard)).toHaveLength(1);
    second.leave();
    await eventually(async () => (await third.call('followed')) === 'one://other');
    expect(await third.refusal('resources/subscribe', { uri: 'one://missing' })).toMatchObject({
      code: -32002,
      message: 'gone',
    });
    expect(await third.call('followed')).toBe('one://other');
  });

  it('tells a client of so many resources and no more', async () => {
    await using desk = await createDesk({ one: library('one') });
    const endpoint = desk.endpoints.plugin('one', everything)!;
    const [older, newer] = [connect(endpoint), connect(endpoint, 'modern')];
    const uris = Array.from({ length: 1001 }, (_, index) => `one://${index}`);
    for (const uri of uris.slice(1)) await older.ask('resources/subscribe', { uri });
    expect(await older.refusal('resources/subscribe', { uri: uris[0] })).toMatchObject({ code: -32602 });
    // One more takes the place of another.
    await older.ask('resources/unsubscribe', { uri: uris[1] });
    await older.ask('resources/subscribe', { uri: uris[0] });
    const over = new AbortController();
    const heard: Heard[] = [];
    const notify = (method: string, params: unknown) => {
      heard.push({ method, params });
      over.abort();
    };
    await newer.ask(
      'subscriptions/listen',
      { notifications: { resourceSubscriptions: uris } },
      { signal: over.signal, notify },
    );
    expect(heard[0]).toMatchObject({ params: { notifications: { resourceSubscriptions: uris.slice(0, 1000) } } });
  });

  it('acknowledges a subscription first, tags what belongs to it and tells only what was asked for', async () => {
    await using desk = await createDesk({ one: library('one'), two: library('two') }, { listWait: 60_000 });
    const client = connect(desk.endpoints.all(everything), 'modern');
    await client.ask('tools/list');
    const heard: Heard[] = [];
    const over = new AbortController();
    const notifications = {
      toolsListChanged: true,
      resourceSubscriptions: ['mcp-plugin:two/test://common', 'two://missing'],
    };
    const listening = client.ask(
      'subscriptions/listen',
      { notifications },
      { id: 'sub', signal: over.signal, notify: (method, params) => void heard.push({ method, params }) },
    );
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
    await eventually(() => heard.length > 0);
    expect(heard).toEqual([
      {
        method: 'notifications/subscriptions/acknowledged',
        params: {
          notifications: { toolsListChanged: true, resourceSubscriptions: ['mcp-plugin:two/test://common'] },
          _meta,
        },
      },
    ]);
    await client.call('two__touch', { uri: 'test://common' });
    await eventually(() => heard.length === 2);
    expect(heard[1]?.params).toEqual({ uri: 'mcp-plugin:two/test://common', 'x-vendor': 1, _meta });
    await client.call('one__grow', { name: 'new' });
    await eventually(() => heard.length === 3);
    expect(heard[2]).toEqual({ method: 'notifications/tools/list_changed', params: { _meta } });
    over.abort();
    await listening;
    await eventually(async () => (await client.call('two__followed')) === '');
    await client.call('one__grow', { name: 'newer' });
    expect((await client.refusal('resources/subscribe', { uri: 'one://own' })).code).toBe(-32601);
    expect(heard).toHaveLength(3);
  });

  it('asks a server for the lowest level that a client wants, again after a restart, and gives each client its part', async () => {
    await using desk = await createDesk({ one: library('one') });
    const endpoint = desk.endpoints.plugin('one', everything)!;
    const [loud, quiet, stranger] = [connect(endpoint), connect(endpoint), connect(endpoint)] as const;
    const messages = (heard: readonly Heard[]) =>
      heard.filter(({ method }) => method === 'notifications/message').length;
    await loud.ask('logging/setLevel', { level: 'debug' });
    await quiet.ask('logging/setLevel', { level: 'error' });
    expect(await loud.call('level')).toBe('debug');
    await quiet.call('level');
    await stranger.ask('ping');
    await loud.call('log', { level: 'info' });
    await loud.call('log', { level: 'alert' });
    await eventually(() => messages(quiet.heard) === 1 && messages(loud.heard) === 2);
    expect(messages(stranger.heard)).toBe(0);
    await loud.refusal('tools/call', { name: 'dies' });
    await eventually(async () => (await loud.call('level')) === 'debug');
    loud.leave();
    await eventually(async () => (await quiet.call('level')) === 'error');
    expect(await quiet.refusal('logging/setLevel', { level: 'loud' })).toMatchObject({ code: -32602 });
  });

  it('is told one level, whichever era those are of who want to hear', async () => {
    await using desk = await createDesk({ one: library('one') });
    const endpoint = desk.endpoints.plugin('one', everything)!;
    const [modern, legacy] = [connect(endpoint, 'modern'), connect(endpoint)] as const;
    const askFor = async (level: string) => {
      const _meta = { 'io.modelcontextprotocol/logLevel': level };
      return (await modern.ask('tools/call', { name: 'level', arguments: {}, _meta })).content[0].text;
    };
    expect(await askFor('info')).toBe('info');
    await legacy.ask('logging/setLevel', { level: 'error' });
    expect(await legacy.call('level')).toBe('info');
    expect(await askFor('debug')).toBe('debug');
    expect(await askFor('alert')).toBe('debug');
  });
});
