import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planSource } from '../src/plan-source.ts';
import { createStage, eventually, failureOf, statesOf, textOf } from './reliability/stage.ts';
import { makeCertificates } from './support/certificates.ts';
import { startProxy } from './support/proxy.ts';
import { bothEras, legacySessions, modernOnly, serve, sseOnly } from './support/remote-servers.ts';

const echo = { tool: 'echo', arguments: { message: 'hello' } };
const SECRET = 'sk-live-0123456789';

/** Wants a bearer token, or what stands in its place. */
const guarded =
  (inner: ReturnType<typeof bothEras>, token = SECRET): ReturnType<typeof bothEras> =>
  (request, response) => {
    if (request.headers.authorization === `Bearer ${token}`) return inner(request, response);
    response.writeHead(401, { 'www-authenticate': `Bearer realm="mcp", given="${request.headers.authorization}"` });
    response.end(`no login in ${request.headers.authorization}`);
  };

describe('a server that runs elsewhere', () => {
  it.each([
    ['of both eras', bothEras, 'streamable-http'],
    ['of the modern era alone', modernOnly, 'streamable-http'],
    ['of the older transport', sseOnly, 'sse'],
  ] as const)('%s is a plugin without a process', async (_, listener, transport) => {
    await using server = await serve(listener());
    const path = transport === 'sse' ? '/sse' : '/mcp';
    await using stage = await createStage({ plugins: { far: { url: server.origin + path } } });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
    expect(stage.supervisor.status('far')).toMatchObject({
      pid: null,
      transport,
      url: server.origin + path,
      source: `mcp+${server.origin}${path}`,
      tools: 1,
    });
    await stage.supervisor.stop('far');
    expect(statesOf(stage.supervisor, 'far')).not.toContain('cloning');
    expect(stage.supervisor.status('far').state).toBe('absent');
    expect(textOf(await stage.supervisor.start('far').then(() => stage.supervisor.call('far', echo)))).toBe('hello');
  });

  it('is told good-bye when it is stopped', async () => {
    const { listener, sessions } = legacySessions();
    await using server = await serve(listener);
    await using stage = await createStage({ plugins: { far: { url: `${server.origin}/mcp` } } });
    await stage.supervisor.call('far', echo);
    expect(sessions.size).toBe(1);
    await stage.supervisor.stop('far');
    expect(sessions.size).toBe(0);
  });

  it('is another session after an idle stop, and gets no call lost by it', async () => {
    const { listener, sessions } = legacySessions();
    await using server = await serve(listener);
    await using stage = await createStage({ plugins: { far: { url: `${server.origin}/mcp`, idleStop: 50 } } });
    await stage.supervisor.call('far', echo);
    await stage.supervisor.waitFor('far', 'absent');
    expect(sessions.size).toBe(0);
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
    expect(stage.supervisor.status('far').generation).toBe(2);
  });

  it('that goes away and comes back is connected to again', async () => {
    const first = await serve(bothEras());
    await using stage = await createStage({
      plugins: { far: { url: `${first.origin}/mcp`, liveness: 100, restart: 'permanent' } },
      restartPolicy: { minDelay: 50, maxDelay: 100, maxFailedStarts: 1000, maxCrashes: 1000 },
      timing: { recheck: 50 },
    });
    await stage.supervisor.call('far', echo);
    await first.stop();
    const lost = await stage.supervisor.waitFor('far', 'crashed');
    expect(['RUN_DISCONNECTED', 'PROBE_UNREACHABLE', 'RUN_UNRESPONSIVE']).toContain(lost.failure?.code);
    await using _again = await serve(bothEras(), { port: first.port });
    await stage.supervisor.waitFor('far', 'ready');
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
  });

  it('that forgets its session is asked for another one, and the call goes through', async () => {
    let { listener, sessions } = legacySessions();
    await using server = await serve((request, response) => listener(request, response));
    await using stage = await createStage({ plugins: { far: { url: `${server.origin}/mcp` } } });
    await stage.supervisor.call('far', echo);
    ({ listener, sessions } = legacySessions());
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
    expect(sessions.size).toBe(1);
  });

  it('has its address in the plan that is shown, and nothing to install', async () => {
    const { plan, name } = await planSource({ url: 'https://Mcp.Weather.example/v1/mcp?units=metric' });
    expect(plan).toMatchObject({ launcher: 'remote', endpoint: '/v1/mcp?units=metric', install: [], start: [] });
    expect(name).toMatch(/^weather-[0-9a-f]{6}$/);
  });

  it('over IPv6 is one like any other', async (context) => {
    const server = await serve(bothEras(), { host: '::1' }).catch(() => null);
    if (server === null) return context.skip('no IPv6 here');
    await using _ = server;
    await using stage = await createStage({ plugins: { far: { url: `${server.origin}/mcp` } } });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
  });
});

describe('headers', () => {
  it('go with every request, from wherever they refer to, and are shown nowhere', async () => {
    await using server = await serve(guarded(bothEras()));
    await using stage = await createStage({ env: { ...process.env, TOKEN: SECRET } });
    const { supervisor } = stage;
    supervisor.add('far', { url: `${server.origin}/mcp`, headers: { Authorization: 'Bearer ${env:TOKEN}' } });
    expect(textOf(await supervisor.call('far', echo))).toBe('hello');
    const shown = inspect([supervisor.status(), supervisor.actor.getSnapshot(), supervisor.logs('far')], { depth: 12 });
    expect(shown).not.toContain(SECRET);
  });

  it('that are missing or wrong park it with what the server asks for, without the secret', async () => {
    await using server = await serve(guarded(bothEras(), 'another'));
    await using stage = await createStage({
      plugins: { far: { url: `${server.origin}/mcp`, headers: { Authorization: `Bearer ${SECRET}` } } },
    });
    const failure = await failureOf(stage.supervisor.call('far', echo));
    expect(failure).toMatchObject({ code: 'PROBE_LOGIN', retryable: false });
    expect(failure.message).toMatch(/HTTP 401: Bearer realm="mcp"/);
    expect(JSON.stringify([failure, stage.supervisor.status('far')])).not.toContain(SECRET);
    expect(stage.supervisor.status('far').subState).toBe('parked');
  });

  it('that a file or a command gives are read anew at each start', async () => {
    let token = 'first-token';
    await using server = await serve((request, response) => guarded(bothEras(), token)(request, response));
    await using stage = await createStage();
    const file = join(stage.home.root, 'token');
    await writeFile(file, 'first-token\n');
    const { supervisor } = stage;
    supervisor.add('far', { url: `${server.origin}/mcp`, headers: { authorization: `Bearer \${file:${file}}` } });
    await supervisor.call('far', echo);
    token = 'second-token';
    await writeFile(file, 'second-token\n');
    // The server no longer takes the first one: the call waits for a start that reads the second.
    expect(textOf(await supervisor.call('far', echo))).toBe('hello');
    expect(supervisor.status('far').generation).toBe(2);
  });

  it('that refer to nothing are named, and nothing is sent', async () => {
    await using server = await serve(bothEras());
    await using stage = await createStage({
      plugins: { far: { url: `${server.origin}/mcp`, headers: { 'X-Key': '${env:NOT_THERE}' } } },
    });
    const failure = await failureOf(stage.supervisor.call('far', echo));
    expect(failure.code).toBe('CONFIG_REFERENCE');
    expect(failure.message).toContain('X-Key');
    expect(server.requests).toEqual([]);
  });

  it('do not follow a redirect to another origin', async () => {
    await using other = await serve(bothEras());
    await using server = await serve((_, response) =>
      response.writeHead(307, { location: `${other.origin}/mcp` }).end(),
    );
    await using stage = await createStage();
    stage.supervisor.add('far', { url: `${server.origin}/mcp`, headers: { 'X-Key': SECRET } });
    const failure = await failureOf(stage.supervisor.call('far', echo));
    expect(failure).toMatchObject({
      code: 'PROBE_PROTOCOL',
      hint: expect.stringContaining('the address that it leads to'),
    });
    expect(other.requests).toEqual([]);
    stage.supervisor.add('bare', { url: `${server.origin}/mcp` });
    expect(textOf(await stage.supervisor.call('bare', echo))).toBe('hello');
  });

  it('that the older transport wants are asked for, too, and a redirect of it is followed', async () => {
    const sse = guarded(sseOnly());
    await using server = await serve((request, response) =>
      request.url === '/old' ? response.writeHead(302, { location: '/sse' }).end() : sse(request, response),
    );
    await using stage = await createStage();
    const far = { url: `${server.origin}/old`, type: 'sse' as const };
    stage.supervisor.add('far', far);
    const failure = await failureOf(stage.supervisor.call('far', echo));
    expect(failure).toMatchObject({ code: 'PROBE_LOGIN', message: expect.stringContaining('Bearer realm="mcp"') });
    await stage.supervisor.configure({ far: { ...far, headers: { Authorization: `Bearer ${SECRET}` } } });
    expect(textOf(await stage.supervisor.start('far').then(() => stage.supervisor.call('far', echo)))).toBe('hello');
  });

  it('go along a redirect within the origin', async () => {
    const mcp = guarded(bothEras());
    await using server = await serve((request, response) =>
      request.url === '/mcp' ? response.writeHead(301, { location: '/mcp/' }).end() : mcp(request, response),
    );
    await using stage = await createStage();
    stage.supervisor.add('far', { url: `${server.origin}/mcp`, headers: { Authorization: `Bearer ${SECRET}` } });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
  });
});

describe('a service that runs elsewhere and is no MCP server', () => {
  it('has its operations as tools, with the headers of its owner', async () => {
    const seen: unknown[] = [];
    const paths = { '/hello/{name}': { get: { operationId: 'hello', parameters: [{ name: 'name', in: 'path' }] } } };
    await using server = await serve((request, response) => {
      seen.push(request.headers['x-key']);
      const { pathname } = new URL(request.url ?? '', 'http://x');
      const answer =
        pathname === '/api/openapi.json' ? { openapi: '3.0.0', servers: [{ url: '/api' }], paths } : { pathname };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    await using stage = await createStage({
      plugins: { far: { url: `${server.origin}/api`, transport: 'http', headers: { 'X-Key': SECRET } } },
    });
    const result = await stage.supervisor.call('far', { tool: 'hello', arguments: { name: 'you' } });
    expect(result).toMatchObject({ structuredContent: { pathname: '/api/hello/you' } });
    expect(new Set(seen)).toEqual(new Set([SECRET]));
    expect(stage.supervisor.status('far')).toMatchObject({ transport: 'http', pid: null, tools: 1 });
  });
});

it('is connected to anew when its headers change, and only then', async () => {
  await using server = await serve(bothEras());
  const far = { url: `${server.origin}/mcp`, headers: { 'X-Key': 'one-key' } };
  await using stage = await createStage({ plugins: { far } });
  await stage.supervisor.call('far', echo);
  expect(await stage.supervisor.configure({ far: { ...far } })).toMatchObject({ unchanged: ['far'] });
  const other = { ...far, headers: { 'X-Key': 'two-key' } };
  expect(await stage.supervisor.configure({ far: other })).toMatchObject({ restarted: ['far'] });
  await stage.supervisor.call('far', echo);
  expect(server.requests.at(-1)?.headers['x-key']).toBe('two-key');
});

describe('the address', () => {
  it('keeps its query, with what is secret in it only on the wire', async () => {
    await using server = await serve(bothEras());
    await using stage = await createStage();
    stage.supervisor.add('far', { url: `${server.origin}/mcp?api_key=${SECRET}&profile=x` });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
    expect(server.requests[0]?.url).toBe(`/mcp?api_key=${SECRET}&profile=x`);
    const { url, source } = stage.supervisor.status('far');
    expect(url).toBe(`${server.origin}/mcp?api_key=[redacted]&profile=x`);
    expect(source).toBe(`mcp+${url}`);
    expect(inspect(stage.supervisor.actor.getSnapshot(), { depth: 12 })).not.toContain(SECRET);
  });

  it('may hold a login, which goes as a header', async () => {
    await using server = await serve(bothEras());
    await using stage = await createStage();
    stage.supervisor.add('far', { url: `${server.origin.replace('//', '//me:pass%2Fword@')}/mcp` });
    await stage.supervisor.call('far', echo);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:pass/word').toString('base64')}`);
    expect(JSON.stringify(stage.supervisor.status('far'))).not.toMatch(/pass|me:/);
  });

  it.each([
    ['that nobody knows', 'http://no-such-host.invalid/mcp', 'PROBE_UNREACHABLE', /typing error/],
    ['of a page that is no server', 'PAGE', 'PROBE_PROTOCOL', /\/mcp or \/sse/],
    ['of a server that is down for a while', 'BUSY', 'PROBE_UNREACHABLE', /tried again/],
  ])('%s is a failure that says what to do', async (_, url, code, hint) => {
    await using server = await serve((request, response) =>
      response.writeHead(request.url === '/busy' ? 503 : 404).end('<html>'),
    );
    const at = url === 'PAGE' ? `${server.origin}/` : url === 'BUSY' ? `${server.origin}/busy` : url;
    await using stage = await createStage({ plugins: { far: { url: at, restart: 'temporary' } } });
    const failure = await failureOf(stage.supervisor.start('far'));
    expect(failure.code).toBe(code);
    expect(failure.hint).toMatch(hint);
  });

  it('at which nobody listens is tried again, and says so', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    await using stage = await createStage({
      plugins: { far: { url: `http://127.0.0.1:${port}/mcp` } },
      restartPolicy: { minDelay: 10, maxDelay: 20, maxFailedStarts: 10_000, maxCrashes: 10_000 },
    });
    void stage.supervisor.start('far').catch(() => {});
    const failure = await eventually(() => stage.supervisor.status('far').failure ?? undefined);
    expect(failure).toMatchObject({ code: 'PROBE_UNREACHABLE', retryable: true });
    await using _server = await serve(bothEras(), { port });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
  });

  it.each([
    [{ url: 'ftp://host/mcp' }, 'CONFIG_SOURCE'],
    [{ url: 'not an address' }, 'CONFIG_SOURCE'],
    [{ url: 'https://host/mcp', source: './x' }, 'CONFIG_INVALID'],
    [{ url: 'https://host/mcp', command: 'node x.js' }, 'CONFIG_INVALID'],
    [{ url: 'https://host/mcp', transport: 'stdio' as const }, 'CONFIG_INVALID'],
    [{ url: 'https://host/mcp', ref: 'main' }, 'CONFIG_SOURCE'],
    [{ url: 'https://host/mcp', headers: { Host: 'x' } }, 'CONFIG_INVALID'],
    [{ url: 'https://host/mcp', headers: { 'X-A': 'a\r\nX-B: b' } }, 'CONFIG_INVALID'],
    [{ source: './x', headers: { 'X-A': 'a' } }, 'CONFIG_INVALID'],
  ])('%j is refused before anything happens', async (options, code) => {
    await using stage = await createStage();
    expect(() => stage.supervisor.add('far', options)).toThrowError(expect.objectContaining({ code }));
  });
});

describe('the way there', () => {
  it('trusts the certificates that the caller names, and no others', async (context) => {
    await using stage = await createStage();
    const certificates = await makeCertificates(join(stage.home.root, 'tls'));
    if (certificates === null) return context.skip('openssl is not installed');
    await using server = await serve(bothEras(), { tls: certificates });
    const url = `${server.origin}/mcp`;
    stage.supervisor.add('far', { url, restart: 'temporary' });
    const failure = await failureOf(stage.supervisor.call('far', echo));
    expect(failure).toMatchObject({ code: 'PROBE_UNREACHABLE', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
    await using trusting = await createStage({
      plugins: { far: { url } },
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificates.ca },
    });
    expect(textOf(await trusting.supervisor.call('far', echo))).toBe('hello');
  });

  it('leads through the proxy that the caller names', async () => {
    const proxy = await startProxy();
    await using server = await serve(bothEras());
    await using stage = await createStage({
      plugins: { far: { url: `http://mcp.corp.test:${server.port}/mcp` } },
      env: { ...process.env, HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: undefined, no_proxy: undefined },
    });
    expect(textOf(await stage.supervisor.call('far', echo))).toBe('hello');
    expect(proxy.log[0]).toContain('mcp.corp.test');
    await stage.supervisor.stop('far');
    await proxy.close();
  });
});
