import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, program } from '../../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from '../gateway-stage.ts';

const text = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }));
const image = { type: 'image', mimeType: 'image/png', data: 'AA==' };

let stage: GatewayStage;
beforeAll(async () => {
  stage = await createGatewayStage({
    p: program(['node', 'mcp/gives.mjs'], { transport: 'stdio' }),
    web: { source: fixture('plugins/node-plain-http') },
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

async function give(result: object) {
  const response = await stage.post('/plugins/p/tools/give', result);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

describe('what a tool found, as plain as it can be told', () => {
  it.each([
    ['structured content', { content: text('{"a":2}'), structuredContent: { a: 1 } }, { a: 1 }],
    ['null as structured content', { content: [], structuredContent: null }, null],
    ['text that is JSON', { content: text('[1,2]') }, [1, 2]],
    ['a picture', { content: [image] }, image],
    ['a picture and a text', { content: [...text('look'), image] }, [...text('look'), image]],
    ['nothing that MCP knows', { odd: 1 }, { odd: 1 }],
  ])('is JSON: %s', async (_what, result, expected) => {
    const { status, type, body } = await give(result);
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toEqual(expected);
  });

  it.each([
    ['null as its content', { content: null }, { content: null }],
    ['content of no parts', { content: [null, 5] }, [null, 5]],
    ['a text that is none', { content: [{ type: 'text', text: { toString: 1 } }] }, '{…}'],
  ])('is whatever a plugin calls a result: %s', async (_what, result, expected) => {
    const response = await stage.post('/plugins/p/tools/give', result, { headers: { accept: 'application/json' } });
    expect([response.status, await response.json()]).toEqual([200, expected]);
  });

  it('is 502 where its error has a code that is no number', async () => {
    const error = { code: 'constructor', message: 'odd' };
    const response = await stage.post('/plugins/p/tools/refuse', error);
    expect([response.status, await response.json()]).toMatchObject([502, { error: { code: 'CALL_PROTOCOL_ERROR' } }]);
  });

  it.each([
    ['one text', text('grüße'), 'grüße'],
    ['several', text('one', 'two'), 'one\ntwo'],
    ['nothing', [], ''],
  ])('is text: %s', async (_what, content, expected) => {
    expect(await give({ content })).toEqual({ status: 200, type: 'text/plain; charset=utf-8', body: expected });
  });

  it('is 422 with the content when the tool says that it failed', async () => {
    const result = { content: text('no such city'), isError: true, _meta: { x: 1 } };
    const { status, body } = await give(result);
    expect(status).toBe(422);
    expect(JSON.parse(body)).toEqual({
      ...result,
      error: expect.objectContaining({ code: 'CALL_TOOL_ERROR', message: 'no such city', plugin: 'p' }),
    });
  });

  it('is left alone by call_plugin, isError included', async () => {
    const result = { content: text('no such city'), isError: true, odd: { n: [1e21, null] } };
    const response = await stage.post('/plugins/p', { tool: 'give', arguments: result });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(result);
  });
});

describe('a plugin that says no', () => {
  it.each([
    [-32602, 400],
    [-32601, 404],
    [-32002, 404],
    [-32603, 502],
    [4711, 502],
  ])('with JSON-RPC %i is %i, in its own words', async (code, status) => {
    const response = await stage.post('/plugins/p/tools/refuse', { code, message: 'because', data: { why: [1] } });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { code: 'CALL_PROTOCOL_ERROR', fate: 'answered', data: { code, message: 'because', data: { why: [1] } } },
    });
  });

  it('over plain HTTP is 502 with its status, and answers any object otherwise', async () => {
    const good = await stage.post('/plugins/web', { city: 'Graz' });
    expect(await good.json()).toMatchObject({ path: '/', payload: { city: 'Graz' } });
    const bad = await stage.post('/plugins/web', { status: 418 });
    expect(bad.status).toBe(502);
    expect(await bad.json()).toMatchObject({ error: { code: 'CALL_HTTP_ERROR', data: { status: 418 } } });
  });
});

describe('bodies', () => {
  it('of 17 MB are refused at every address', async () => {
    const body = JSON.stringify({ x: 'x'.repeat(17_000_000) });
    const headers = { accept: 'application/json, text/event-stream' };
    for (const path of ['/plugins/p', '/plugins/web', '/plugins/p/tools/give', '/mcp', '/plugins/p/mcp']) {
      expect([path, (await stage.post(path, body, { headers })).status]).toEqual([path, 413]);
    }
    expect((await give({ content: text('alive') })).body).toBe('alive');
    expect(stage.supervisor.status('p').generation).toBe(1);
  });

  it('may be missing, and may not be compressed', async () => {
    expect((await stage.post('/plugins/p/tools/give')).status).toBe(200);
    expect((await stage.post('/plugins/p')).status).toBe(400);
    const response = await stage.post('/plugins/p', 'x', { headers: { 'content-encoding': 'gzip' } });
    expect(response.status).toBe(415);
  });
});
