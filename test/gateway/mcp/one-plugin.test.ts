import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { everything } from '../../../src/gateway/view.ts';
import { eventually } from '../../reliability/stage.ts';
import { connect, createDesk, library } from './desk.ts';

const names = (result: { tools: { name: string }[] }) => result.tools.map(({ name }) => name);

describe('one plugin behind its own address', () => {
  it('says its own name, capabilities and instructions, passes pages and odd fields, and lists from memory when it sleeps', async () => {
    await using desk = await createDesk({ books: library() });
    const client = connect(desk.endpoints.plugin('books', everything)!);
    await desk.catalogs.learn('books');
    const hello = await client.ask('initialize');
    expect(hello).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'library', version: '7', 'x-vendor': true },
      capabilities: { tools: { listChanged: true }, 'x-vendor': {}, logging: {} },
      instructions: 'Ask library.',
    });
    const first = await client.ask('tools/list');
    expect(first.nextCursor).toBe('5');
    expect(first.tools[0]).toEqual({ name: 'echo', inputSchema: { type: 'object', 'x-vendor': [1] } });
    expect(names(await client.ask('tools/list', { cursor: '5' }))).toEqual(['followed', 'dies', 'status of the art']);
    expect(await client.ask('vendor/hello', { a: 1 })).toEqual({ vendor: { a: 1 } });
    await desk.supervisor.stop('books');
    expect(names(await client.ask('tools/list'))).toHaveLength(8);
    expect(await client.ask('ping')).toEqual({});
    expect(await client.ask('prompts/list')).toEqual({ prompts: [{ name: 'greet', 'x-vendor': 1 }] });
    expect((await client.ask('resources/templates/list')).resourceTemplates).toHaveLength(1);
    expect(desk.supervisor.status('books').state).toBe('absent');
  });

  it('offers two stand-ins while nobody knows its tools, and says when they are there', async () => {
    await using desk = await createDesk({}, { listWait: 1 });
    const gate = join(desk.home.root, 'gate');
    desk.supervisor.add('slow', library('slow', { env: { GATE: gate } }));
    const client = connect(desk.endpoints.plugin('slow', everything)!);
    expect(await client.ask('initialize')).toMatchObject({
      serverInfo: { name: 'slow' },
      capabilities: { logging: {} },
    });
    expect(names(await client.ask('tools/list'))).toEqual(['status', 'call']);
    expect(await client.call('status')).toContain('slow: ');
    const called = client.call('call', { tool: 'echo', arguments: { a: 1 } });
    await writeFile(gate, '');
    expect(await called).toBe('{"a":1}');
    await eventually(() => client.heard.some(({ method }) => method === 'notifications/tools/list_changed'));
    expect(names(await client.ask('tools/list'))).toContain('echo');
    // A client that doesn't listen uses it all the same.
    expect(await client.call('call', { tool: 'echo', arguments: { a: 2 } })).toBe('{"a":2}');
    expect((await client.refusal('tools/call', { name: 'call', arguments: {} })).code).toBe(-32602);
  });

  it('passes notifications that it does not know, both ways, and wakes nothing for them', async () => {
    await using desk = await createDesk({ books: library() });
    const endpoint = desk.endpoints.plugin('books', everything)!;
    const [client, stranger] = [connect(endpoint), connect(endpoint)] as const;
    endpoint.hear(client, 'notifications/vendor/level', { level: 'lost' });
    expect(desk.supervisor.status('books').state).toBe('absent');
    await stranger.ask('ping');
    await client.call('log', { method: 'vendor/news' });
    await eventually(() => client.heard.some(({ method }) => method === 'notifications/vendor/news'));
    expect(stranger.heard.some(({ method }) => method === 'notifications/vendor/news')).toBe(false);
    endpoint.hear(client, 'notifications/vendor/level', { level: 'told' });
    await eventually(async () => (await client.call('level')) === 'told');
  });

  it('says to clients that came before a crash that it is back', async () => {
    await using desk = await createDesk({ books: library() });
    const client = connect(desk.endpoints.plugin('books', everything)!);
    await desk.catalogs.learn('books');
    expect(names(await client.ask('tools/list'))).toContain('echo');
    const { data } = await client.refusal('tools/call', { name: 'dies' });
    expect(data).toMatchObject({ plugin: 'books', fate: 'sent-unknown' });
    await eventually(() => client.heard.some(({ method }) => method === 'notifications/tools/list_changed'));
    expect(await client.call('echo', { a: 1 })).toBe('{"a":1}');
  });
});
