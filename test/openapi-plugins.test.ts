import { describe, expect, it } from 'vitest';
import type { ToolResult } from '../src/options.ts';
import { createStage, failureOf, fixture, textOf } from './reliability/stage.ts';
import { needsRegistries } from './support/registries.ts';

const HTTP_STATUS = 'mcp-supervisor/httpStatus';

describe('a plain HTTP service that describes its operations', () => {
  it('has them as tools, by any of the ways to call one', async () => {
    await using stage = await createStage({ plugins: { items: fixture('plugins/node-openapi') } });
    const { supervisor } = stage;
    const tools = await supervisor.tools('items');
    const names = ['list_items', 'put_item', 'delete_items_id', 'names', 'teapot', 'logo'];
    expect(tools.map(({ name }) => name)).toEqual(names);
    expect(await supervisor.request('items', 'tools/list')).toEqual({ tools });
    expect(supervisor.status('items')).toMatchObject({ transport: 'http', tools: names.length });

    const put = { id__path: 7, id: 'seven', name: 'x', parts: [], 'X-Trace': 'abc' };
    const answer = { method: 'PUT', url: '/v1/items/7', trace: 'abc', body: { id: 'seven', name: 'x', parts: [] } };
    const result = await supervisor.call('items', { tool: 'put_item', arguments: put });
    expect(result).toMatchObject({ structuredContent: answer, _meta: { [HTTP_STATUS]: 200 } });
    expect(JSON.parse(textOf(result))).toEqual(answer);
    expect(await supervisor.request('items', 'tools/call', { name: 'put_item', arguments: put })).toEqual(result);

    const list = { tags: ['a', 'b'], ids: [1, 2], page: { size: 5 } };
    expect(await supervisor.call('items', { tool: 'list_items', arguments: list })).toMatchObject({
      structuredContent: { url: '/v1/items?tags=a&tags=b&ids=1%2C2&page%5Bsize%5D=5' },
    });
    expect(await supervisor.call('items', { tool: 'names' })).toMatchObject({
      structuredContent: { result: ['a', 'b'] },
    });
    expect(await supervisor.call('items', { tool: 'logo' })).toMatchObject({
      content: [{ type: 'image', data: '/wA=' }],
    });
    const failed = (await supervisor.call('items', { tool: 'teapot' })) as ToolResult;
    expect(failed).toMatchObject({ isError: true, _meta: { [HTTP_STATUS]: 418 } });
    expect(textOf(failed)).toBe('HTTP 418: {"error":"short and stout"}');
    expect(textOf(await supervisor.call('items', { tool: 'delete_items_id', arguments: { id: 1 } }))).toBe('HTTP 204');
  });

  it('takes requests and payloads as before, and says what it does not know', async () => {
    await using stage = await createStage({ plugins: { items: fixture('plugins/node-openapi') } });
    const { supervisor } = stage;
    expect(await supervisor.call('items', { path: '/v1/x', method: 'PATCH', body: [1] })).toMatchObject({
      method: 'PATCH',
      url: '/v1/x',
      body: [1],
    });
    expect(await supervisor.call('items', { any: 'thing' })).toMatchObject({
      method: 'POST',
      url: '/',
      body: { any: 'thing' },
    });
    const bad = await failureOf(supervisor.call('items', { tool: 'put_item', arguments: { name: 'x' } }));
    expect(bad).toMatchObject({ code: 'CALL_BAD_ARGUMENTS', data: { fate: 'not-sent' } });
    expect(bad.message).toContain('id__path is missing');
    const unknown = await failureOf(supervisor.request('items', 'tools/call', { name: 'nothing' }));
    expect(unknown).toMatchObject({ code: 'CALL_PROTOCOL_ERROR', data: { code: -32602 } });
    const method = await failureOf(supervisor.request('items', 'prompts/list'));
    expect(method).toMatchObject({ code: 'CALL_PROTOCOL_ERROR', data: { code: -32601 } });
  });
});

describe('a plain HTTP service that describes nothing', () => {
  it('has one tool that makes any request', async () => {
    await using stage = await createStage({ plugins: { plain: fixture('plugins/node-plain-http') } });
    const { supervisor } = stage;
    const [tool, ...others] = await supervisor.tools('plain');
    expect(others).toEqual([]);
    expect(tool).toMatchObject({ name: 'request', _meta: { 'mcp-supervisor/plainHttp': true } });
    const arguments_ = { path: '/run', query: { a: 1 }, body: { b: 2 } };
    expect(await supervisor.call('plain', { tool: 'request', arguments: arguments_ })).toMatchObject({
      structuredContent: { path: '/run?a=1', payload: { b: 2 } },
    });
    expect(await supervisor.call('plain', { tool: 'request', arguments: { path: '/nothing' } })).toMatchObject({
      isError: true,
    });
    const bad = await failureOf(
      supervisor.call('plain', { tool: 'request', arguments: { path: 'http://elsewhere/' } }),
    );
    expect(bad.code).toBe('CALL_BAD_ARGUMENTS');
    expect(await supervisor.call('plain', { tool: 'other', arguments: {} })).toMatchObject({
      payload: { tool: 'other', arguments: {} },
    });
  });
});

it('is not asked for a document that nobody named, where only its health path is known to answer', async () => {
  await using stage = await createStage({ plugins: { fragile: fixture('plugins/node-unix-socket') } });
  // Any other GET would end this one.
  expect(await stage.supervisor.call('fragile', { a: 1 })).toMatchObject({ payload: { a: 1 } });
  expect(stage.supervisor.status('fragile').generation).toBe(1);
});

describe('a FastAPI application that knows nothing of MCP', () => {
  needsRegistries('pypi');

  it('has its routes as typed tools, with its own validation and errors', async () => {
    await using stage = await createStage({ plugins: { items: fixture('plugins/python-fastapi') } });
    const { supervisor } = stage;
    const tools = await supervisor.tools('items');
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([
      ['read_item_items__item_id__get', true],
      ['write_item_items__item_id__put', false],
      ['search_search_get', true],
    ]);
    const write = tools[1]!;
    expect(write.inputSchema).toMatchObject({
      required: ['item_id', 'name'],
      properties: {
        item_id: { type: 'integer' },
        name: { type: 'string' },
        parts: { items: { $ref: expect.stringMatching(/^#\/\$defs\/Item/) } },
      },
    });
    expect(write.outputSchema).toMatchObject({ type: 'object', properties: { name: { type: 'string' } } });

    const item = { name: 'a', price: 1.5, parts: [{ name: 'b', price: null, parts: [] }] };
    const written = await supervisor.call('items', { tool: write.name, arguments: { item_id: 7, ...item } });
    expect(written.structuredContent).toEqual(item);
    const read = { tool: 'read_item_items__item_id__get', arguments: { item_id: 7 } };
    expect(await supervisor.call('items', read)).toMatchObject({ structuredContent: item });
    const search = { tool: 'search_search_get', arguments: { q: ['x', 'y'], limit: 3 } };
    expect(await supervisor.call('items', search)).toMatchObject({
      structuredContent: { words: ['x', 'y'], limit: 3 },
    });

    const none = await supervisor.call('items', { ...read, arguments: { item_id: 8 } });
    expect(none).toMatchObject({ isError: true, _meta: { [HTTP_STATUS]: 404 } });
    expect(textOf(none)).toContain('no such item');
    const bad = await supervisor.call('items', { tool: write.name, arguments: { item_id: 'seven', name: 'x' } });
    expect(bad).toMatchObject({ isError: true, _meta: { [HTTP_STATUS]: 422 } });
  });
});
