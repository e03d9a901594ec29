import { describe, expect, it } from 'vitest';
import { createView, everything } from '../../../src/gateway/view.ts';
import { eventually, puppet } from '../../reliability/stage.ts';
import { connect, createDesk, library } from './desk.ts';

const names = (result: { tools: { name: string }[] }) => result.tools.map(({ name }) => name);

describe('all plugins behind one address', () => {
  it('lists what it learns, in the order of the plugins’ names, and calls under every spelling', async () => {
    await using desk = await createDesk({ b: library('b'), a: library('a') }, { listWait: 60_000 });
    const client = connect(desk.endpoints.all(everything));
    const listed = names(await client.ask('tools/list'));
    expect(listed).toHaveLength(16);
    expect(listed.slice(0, 2)).toEqual(['a__echo', 'a__grow']);
    expect(listed[7]).toMatch(/^a__status_of_the_art_[0-9a-z]{7}$/);
    expect(await client.call('a__echo', { x: 1 })).toBe('{"x":1}');
    expect(await client.call('a.echo', { x: 2 })).toBe('{"x":2}');
    expect((await client.refusal('tools/call', { name: listed[7] })).message).toBe('no status of the art');
    expect((await client.refusal('tools/call', { name: 'b__status of the art' })).message).toBe('no status of the art');
    expect(await client.refusal('tools/call', { name: 'a__nothing' })).toMatchObject({ code: -32602 });
    expect(await client.refusal('vendor/hello')).toMatchObject({ code: -32601 });
    const hello = await client.ask('initialize');
    expect(hello.serverInfo.name).toBe('mcp-supervisor');
    expect(hello.instructions).toContain('- b: b (8 tools)');
    expect(hello.instructions).toContain('Ask a.');
  });

  it('reaches prompts, resources, expanded templates and completions of their owners', async () => {
    await using desk = await createDesk({ one: library('one'), two: library('two') }, { listWait: 60_000 });
    const client = connect(desk.endpoints.all(everything));
    expect((await client.ask('prompts/list')).prompts).toEqual([
      { name: 'one__greet', 'x-vendor': 1 },
      { name: 'two__greet', 'x-vendor': 1 },
    ]);
    const read = async (uri: string) => (await client.ask('resources/read', { uri })).contents[0];
    expect((await client.ask('prompts/get', { name: 'two__greet' })).messages[0].content.text).toBe('two greet');
    const { resources } = await client.ask('resources/list');
    expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual([
      'test://common',
      'one://own',
      'mcp-plugin:two/test://common',
      'two://own',
    ]);
    expect((await read('test://common')).text).toBe('one test://common');
    expect(await read('mcp-plugin:two/test://common')).toEqual({
      uri: 'mcp-plugin:two/test://common',
      text: 'two test://common',
    });
    expect((await read('two://item/7/data')).text).toBe('two two://item/7/data');
    expect((await read('two://elsewhere')).text).toBe('two two://elsewhere');
    expect(await client.refusal('resources/read', { uri: 'two://missing' })).toMatchObject({
      code: -32002,
      message: 'gone',
      data: { 'x-vendor': 1 },
    });
    const completed = async (ref: object) =>
      (await client.ask('completion/complete', { ref, argument: { name: 'a', value: '' } })).completion.values;
    expect(await completed({ type: 'ref/prompt', name: 'two__greet' })).toEqual(['two', 'greet']);
    expect(await completed({ type: 'ref/resource', uri: 'two://item/{id}/data' })).toEqual([
      'two',
      'two://item/{id}/data',
    ]);
  });

  it('is not held up by a plugin that cannot start, and offers to tell why', async () => {
    await using desk = await createDesk(
      { bad: puppet('exit:3', { restart: 'temporary' }), good: library('good') },
      { listWait: 60_000 },
    );
    const client = connect(desk.endpoints.all(everything));
    expect(names(await client.ask('tools/list')).slice(0, 3)).toEqual(['bad__status', 'bad__call', 'good__echo']);
    expect(await client.call('bad__status')).toContain('last words');
    expect(await client.call('good__echo', { a: 1 })).toBe('{"a":1}');
    const { code, data } = await client.refusal('tools/call', { name: 'bad__echo', arguments: {} });
    expect(code).toBe(-32603);
    expect(data).toMatchObject({
      plugin: 'bad',
      code: expect.stringMatching(/^(PROBE|LAUNCH|RUN|CALL)_/),
      hint: expect.any(String),
    });
  });

  it('neither lists nor calls what a view hides', async () => {
    await using desk = await createDesk({ one: library('one'), two: library('two') }, { listWait: 60_000 });
    const view = createView('some', { plugins: ['one'], tools: { allow: ['echo', 'one__grow'] } });
    const client = connect(desk.endpoints.all(view));
    expect(names(await client.ask('tools/list'))).toEqual(['one__echo', 'one__grow']);
    expect((await client.ask('prompts/list')).prompts).toHaveLength(1);
    for (const name of ['one__dies', 'two__echo']) {
      expect(await client.refusal('tools/call', { name, arguments: {} })).toMatchObject({ code: -32602 });
    }
    expect(await client.refusal('prompts/get', { name: 'two__greet' })).toMatchObject({ code: -32602 });
    expect(await client.refusal('resources/read', { uri: 'mcp-plugin:two/test://common' })).toMatchObject({
      code: -32002,
    });
    const { instructions } = await client.ask('initialize');
    expect(instructions).not.toContain('two');
    expect(desk.endpoints.plugin('two', view)).toBeUndefined();
    const alone = connect(desk.endpoints.plugin('one', view)!);
    expect(names(await alone.ask('tools/list'))).toEqual(['echo', 'grow']);
    expect(await alone.refusal('tools/call', { name: 'dies' })).toMatchObject({ code: -32602 });
  });

  it('tells nothing of a hidden tool to who only wants to know its headers', async () => {
    await using desk = await createDesk({ a: library('a') }, { listWait: 60_000 });
    const endpoint = desk.endpoints.all(createView('part', { tools: { deny: ['grow'] } }));
    await connect(endpoint).ask('tools/list');
    expect(endpoint.tool?.('a__echo')).toMatchObject({ name: 'echo' });
    expect(endpoint.tool?.('a__grow')).toBeUndefined();
  });

  it('refuses what is no name and no URI as any other that there is not', async () => {
    await using desk = await createDesk({ a: library('a') }, { listWait: 60_000 });
    const client = connect(desk.endpoints.all(everything));
    await client.ask('tools/list');
    const odd = { toString: 1 };
    for (const [method, params] of [
      ['tools/call', { name: odd }],
      ['prompts/get', { name: odd }],
      ['resources/read', { uri: odd }],
      ['resources/subscribe', { uri: odd }],
      ['tasks/get', { taskId: odd }],
    ] as const) {
      const { code } = await client.refusal(method, params);
      expect([method, code]).toEqual([method, method.startsWith('resources/') ? -32002 : -32602]);
    }
  });

  it('keeps sessions over a crash, an edit and a removal, and says that lists have changed', async () => {
    await using desk = await createDesk({ one: library('one') }, { listWait: 60_000 });
    const client = connect(desk.endpoints.all(everything));
    const told = (kind: string) => client.heard.filter(({ method }) => method === `notifications/${kind}/list_changed`);
    await client.ask('tools/list');
    await client.call('one__grow', { name: 'new' });
    await eventually(async () => names(await client.ask('tools/list')).includes('one__new'));
    await eventually(() => told('tools').length > 0);
    client.heard.length = 0;
    await client.refusal('tools/call', { name: 'one__dies', arguments: {} });
    // It has forgotten what it had grown.
    await eventually(() => told('tools').length > 0);
    expect(await client.call('one__echo', { a: 1 })).toBe('{"a":1}');
    client.heard.length = 0;
    await desk.supervisor.configure({ one: library('one'), two: library('two') });
    await eventually(() => told('tools').length > 0 && told('prompts').length > 0 && told('resources').length > 0);
    expect(names(await client.ask('tools/list'))).toContain('two__echo');
    client.heard.length = 0;
    await desk.supervisor.remove('one');
    await eventually(() => told('tools').length > 0);
    expect(names(await client.ask('tools/list'))).toHaveLength(8);
  });
});
