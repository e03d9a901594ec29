import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHttpClient } from '../../../actors/mcp/http-client.ts';
import { createPlainHttpSession } from '../../../actors/mcp/plain-http.ts';
import type { SessionError } from '../../../actors/mcp/session-error.ts';
import { createFailure } from '../../../machines/failure.ts';
import { limits, serveHttp } from './serve-http.ts';

async function open(path = '/', socketPath?: string) {
  const served = await serveHttp((request, response, body) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/never') return;
    if (pathname === '/teapot') return void response.writeHead(418).end('short and stout');
    if (pathname === '/text') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hi');
    if (pathname === '/image')
      return void response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.of(255, 0));
    if (pathname === '/nothing') return void response.writeHead(204).end();
    if (pathname === '/lies')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('no json');
    if (pathname === '/big') return void response.end('x'.repeat(2_000_000));
    const { method, url, headers } = request;
    response.writeHead(200, { 'content-type': 'application/problem+json; charset=utf-8' });
    response.end(JSON.stringify({ method, url, body, type: headers['content-type'], mine: headers['x-mine'] }));
  }, socketPath);
  const client = await createHttpClient({ origin: served.origin, socketPath: socketPath ?? null });
  const session = createPlainHttpSession({ generation: 1, client, path, health: null, limits, redact: (text) => text });
  const stop = async () => {
    session.close(createFailure('CALL_STOPPED'));
    await served.stop();
  };
  return { session, served, [Symbol.asyncDispose]: stop };
}

const failureOf = (promise: Promise<unknown>): Promise<SessionError> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error) => error as SessionError,
  );

describe('a plain HTTP session', () => {
  it('posts a payload to its endpoint and reads JSON', async () => {
    await using opened = await open('/run?x=1');
    expect(await opened.session.post({ path: '/a', other: 1 })).toMatchObject({
      method: 'POST',
      url: '/run?x=1',
      body: '{"path":"/a","other":1}',
      type: 'application/json',
    });
  });

  it('sends a request of the caller’s own making', async () => {
    await using opened = await open();
    const request = { path: '/a?b=1', method: 'put', query: { c: 'ü&' }, headers: { 'X-Mine': 'm' }, body: [1] };
    expect(await opened.session.post(request)).toMatchObject({
      method: 'PUT',
      url: '/a?b=1&c=%C3%BC%26',
      body: '[1]',
      mine: 'm',
    });
    expect(await opened.session.post({ path: '/a' })).toMatchObject({ method: 'GET', body: '' });
  });

  it.each([
    ['another host', { path: '//evil.example/x' }],
    ['an absolute URL', { path: 'http://127.0.0.1:1/' }],
    ['a relative path', { path: 'x' }],
    ['a method of its own', { path: '/', method: 'CONNECT' }],
    ['a host header', { path: '/', headers: { Host: 'evil.example' } }],
    ['a length of its own', { path: '/', headers: { 'Content-Length': 1 } }],
    ['a header with a blank in its name', { path: '/', headers: { 'x y': 'a' } }],
    ['a header of two lines', { path: '/', headers: { x: 'a\r\nb: c' } }],
    ['a query that is no object', { path: '/', query: 'x' }],
  ])('refuses %s, sending nothing', async (_, payload) => {
    await using opened = await open();
    expect(await failureOf(opened.session.post(payload))).toMatchObject({
      fate: 'not-sent',
      failure: { code: 'CALL_BAD_ARGUMENTS' },
    });
    expect(opened.served.requests).toEqual([]);
  });

  it.each([
    ['/text', '<p>hi'],
    ['/image', { contentType: 'image/png', base64: '/wA=' }],
    ['/nothing', null],
  ])('reads %s by its content type', async (path, value) => {
    await using opened = await open();
    expect(await opened.session.post({ path })).toEqual(value);
  });

  it('rejects an error status with status and body', async () => {
    await using opened = await open();
    expect(await failureOf(opened.session.post({ path: '/teapot' }))).toMatchObject({
      fate: 'answered',
      failure: { code: 'CALL_HTTP_ERROR', data: { status: 418, body: 'short and stout' } },
    });
  });

  it('rejects JSON that is none, answers over the limit and answers that never come', async () => {
    await using opened = await open();
    const codes = await Promise.all([
      failureOf(opened.session.post({ path: '/lies' })),
      failureOf(opened.session.post({ path: '/big' })),
      failureOf(opened.session.post({ path: '/never' }, { timeout: 50 })),
      failureOf(opened.session.request('prompts/list', {})),
    ]);
    expect(codes.map(({ failure }) => failure.code)).toEqual([
      'CALL_HTTP_ERROR',
      'CALL_RESULT_TOO_LARGE',
      'CALL_TIMEOUT',
      'CALL_PROTOCOL_ERROR',
    ]);
    expect(opened.session.inFlight()).toBe(0);
  });

  it('settles what is in flight when it is closed', async () => {
    await using opened = await open();
    const pending = failureOf(opened.session.post({ path: '/never' }));
    opened.session.close(createFailure('CALL_STOPPED'));
    expect(await pending).toMatchObject({ failure: { code: 'CALL_INTERRUPTED' } });
    expect(await opened.session.closed).toBeNull();
  });

  it('goes over a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcps-'));
    {
      await using opened = await open('/run', join(folder, 's'));
      expect(await opened.session.post({})).toMatchObject({ method: 'POST', url: '/run' });
    }
    await rm(folder, { recursive: true });
  });
});
