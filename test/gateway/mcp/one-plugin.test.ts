import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createView, everything } from '../../../src/gateway/view.ts';
import { eventually, fixture } from '../../reliability/stage.ts';
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

  it('says once what to do about a missing setting, in words of a configuration', async () => {
    await using desk = await createDesk({ keyed: { source: fixture('plugins/needs-setting') } });
    const client = connect(desk.endpoints.plugin('keyed', everything)!);
    expect(names(await client.ask('tools/list'))).toEqual(['status', 'call']);
    const told = await client.call('status');
    expect(told.match(/Set API_KEY under "env" where this server is configured/g)).toHaveLength(1);
    expect(told).not.toMatch(/--env|[Rr]un start/);
    expect((await client.refusal('tools/call', { name: 'call', arguments: { tool: 'a' } })).message).toContain(
      'Set API_KEY',
    );
  });

  it('calls nothing that a view hides, whatever a name is made of', async () => {
    await using desk = await createDesk({ books: library() });
    const view = createView('part', { tools: { allow: ['echo'] } });
    const client = connect(desk.endpoints.plugin('books', view)!);
    expect(names(await client.ask('tools/list'))).toEqual(['echo']);
    for (const name of ['level', ['level'], { toString: 1 }, null]) {
      expect(await client.refusal('tools/call', { name, arguments: {} })).toMatchObject({ code: -32602 });
    }
    expect(await client.call('echo')).toBe('{}');
  });

  it('tells of no task but those that were given out there, where a view hides tools', async () => {
    const odd = { source: `-- node ${fixture('plugins/odd-payloads/server.mjs')}` };
    await using desk = await createDesk({ odd });
    const view = createView('part', { tools: { allow: ['task-handle'] } });
    const [part, whole] = [view, everything].map((each) => connect(desk.endpoints.plugin('odd', each)!));
    await whole!.ask('tools/call', { name: 'task-handle', arguments: {} });
    for (const [method, params] of [
      ['tasks/get', { taskId: 't-1' }],
      ['tasks/list', {}],
    ] as const) {
      expect(await part!.refusal(method, params)).toMatchObject({ code: -32602, message: 'There is no such task.' });
    }
    await part!.ask('tools/call', { name: 'task-handle', arguments: {} });
    expect(await part!.ask('tasks/get', { taskId: 't-1' })).toMatchObject({ taskId: 't-1' });
  });

  it('passes no request on that is called as a notification', async () => {
    await using desk = await createDesk({ books: library() });
    const client = connect(desk.endpoints.plugin('books', everything)!);
    expect(await client.refusal('notifications/vendor/level', { level: 'theirs' })).toMatchObject({ code: -32601 });
    expect(await client.call('level')).toBe('none');
  });

  it('has forgotten a client that left, whatever still runs for it', async () => {
    await using desk = await createDesk({ books: library() });
    const endpoint = desk.endpoints.plugin('books', everything)!;
    const [client, stays] = [connect(endpoint), connect(endpoint)] as const;
    await client.ask('tools/list');
    client.leave();
    await client.ask('ping');
    await client.call('echo');
    await stays.call('grow', { name: 'another' });
    await eventually(() => stays.heard.some(({ method }) => method === 'notifications/tools/list_changed'));
    expect(client.heard).toEqual([]);
  });

  it('gives a list of what to choose from in one line, once', async () => {
    await using desk = await createDesk({});
    const folder = join(desk.home.root, 'two');
    for (const name of ['one', 'other']) {
      await mkdir(join(folder, name), { recursive: true });
      const manifest = { name, version: '1.0.0', bin: './x.js', dependencies: { '@modelcontextprotocol/sdk': '*' } };
      await writeFile(join(folder, name, 'package.json'), JSON.stringify(manifest));
      await writeFile(join(folder, name, 'x.js'), '');
    }
    desk.supervisor.add('two', { source: folder });
    const client = connect(desk.endpoints.plugin('two', everything)!);
    await client.ask('tools/list');
    const told = await client.call('status');
    expect(told.match(/Choose one of these sources: \S+:one, \S+:other\./g), told).toHaveLength(1);
    expect(told.match(/Choose one/g)).toHaveLength(1);
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
