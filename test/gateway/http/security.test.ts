import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { serveHttp } from '../../../src/gateway/http/serve-http.ts';
import { eventually, failureOf, puppet } from '../../reliability/stage.ts';
import { createGatewayStage, rawRequest } from '../gateway-stage.ts';

const TOKEN = 'correct-horse-battery-staple';
const OTHER = 'another-token-of-some-length';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** Every face: what holds for one holds for all. */
const FACES = ['/', '/plugins', '/mcp', '/plugins/p/mcp', '/metrics', '/events', '/healthz', '/openapi.json'];

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'mcps-'));
  folders.push(path);
  return path;
}

describe('the Host header', () => {
  it.each(FACES)('must name this machine: %s', async (path) => {
    await using stage = await createGatewayStage();
    for (const host of [
      'evil.example',
      'evil.example:80',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'a@localhost',
    ]) {
      const { status, text } = await rawRequest(stage.url + path, { headers: { host } });
      expect([host, status]).toEqual([host, 403]);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'HTTP_HOST', phase: 'http' } });
    }
  });

  it.each(['localhost', 'LOCALHOST:1234', '127.0.0.1', '127.8.8.8:1', '[::1]:80', 'gateway.lan', 'gateway.lan:9'])(
    'may be %s',
    async (host) => {
      await using stage = await createGatewayStage({}, { allowHost: ['Gateway.lan'] });
      expect((await rawRequest(`${stage.url}/plugins`, { headers: { host } })).status).toBe(200);
    },
  );
});

describe('the Origin header', () => {
  it.each(FACES)('of a foreign page is refused: %s', async (path) => {
    await using stage = await createGatewayStage();
    for (const origin of ['http://evil.example', 'null', 'http://localhost:1', stage.url.replace('http:', 'https:')]) {
      const response = await stage.get(path, { headers: { origin } });
      expect([origin, response.status]).toEqual([origin, 403]);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('of our own page is good', async () => {
    await using stage = await createGatewayStage();
    expect((await stage.get('/plugins', { headers: { origin: stage.url } })).status).toBe(200);
  });

  it('that is allowed gets what its browser wants to see, on errors too', async () => {
    const origin = 'https://app.example';
    await using stage = await createGatewayStage(
      {},
      { allowOrigin: [`${origin}/`], auth: 'always', tokens: [{ token: TOKEN }] },
    );
    const preflight = await stage.get('/mcp', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,mcp-param-x',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,mcp-param-x');
    const refused = await stage.get('/plugins', { headers: { origin } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
    expect(refused.headers.get('vary')).toBe('Origin');
    const exposed = (await stage.get('/plugins', { headers: { origin, ...bearer(TOKEN) } })).headers;
    expect(exposed.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
    expect((await stage.get('/plugins', { headers: { origin: 'https://app.example.evil' } })).status).toBe(403);
  });

  it('may be missing, but not when a browser says that another site asks', async () => {
    await using stage = await createGatewayStage();
    const ask = (mode: string) =>
      rawRequest(`${stage.url}/plugins`, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode } });
    expect((await ask('no-cors')).status).toBe(403);
    expect((await ask('navigate')).status).toBe(200);
  });
});

describe('tokens', () => {
  it('are needed with auth: always, and each is its own principal', async () => {
    await using stage = await createGatewayStage(
      { p: puppet(), q: puppet() },
      {
        auth: 'always',
        tokens: [{ token: TOKEN }, { token: OTHER, profile: 'part' }],
        profiles: { part: { plugins: ['p'], tools: { allow: ['echo'] } } },
      },
    );
    const anonymous = await stage.get('/plugins');
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer realm="mcp-supervisor"');
    const wrong = await stage.get('/plugins', { headers: bearer(`${TOKEN}x`) });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const names = async (token: string) =>
      (
        (await (await stage.get('/plugins', { headers: bearer(token) })).json()) as { plugins: { name: string }[] }
      ).plugins.map(({ name }) => name);
    expect(await names(TOKEN)).toEqual(['p', 'q']);
    expect(await names(OTHER)).toEqual(['p']);

    const headers = bearer(OTHER);
    const statusOf = async (path: string, body?: unknown) => (await stage.post(path, body, { headers })).status;
    expect(await statusOf('/plugins/p/tools/echo', { message: 'x' })).toBe(200);
    expect(await statusOf('/plugins/p/tools/pid')).toBe(404);
    expect(await statusOf('/plugins/p', { tool: 'pid' })).toBe(404);
    expect(await statusOf('/plugins/p', { method: 'tools/call', params: { name: 'pid' } })).toBe(404);
    expect(await statusOf('/plugins/p', { path: '/', method: 'POST' })).toBe(400);
    expect(await statusOf('/plugins/q', { tool: 'echo' })).toBe(404);
    for (const command of ['start', 'stop', 'restart', 'reset'])
      expect(await statusOf(`/plugins/p/${command}`)).toBe(403);
    const listed = await stage.post('/plugins/p', { method: 'tools/list' }, { headers });
    expect(await listed.json()).toEqual({ tools: [expect.objectContaining({ name: 'echo' })] });
    expect(await (await stage.get('/plugins/p/tools', { headers })).json()).toMatchObject({
      tools: [{ name: 'echo' }],
    });
    const missing = await (await stage.get('/plugins/zzz', { headers })).text();
    expect(missing).not.toContain('q');
  });

  it('leave /healthz and the search for a login open, and nothing else', async () => {
    await using stage = await createGatewayStage({}, { auth: 'always', tokens: [{ token: TOKEN }] });
    expect(await (await stage.get('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await stage.get('/.well-known/oauth-protected-resource/mcp')).status).toBe(404);
    for (const path of ['/', '/readyz', '/nothing', '/mcp']) expect((await stage.get(path)).status).toBe(401);
  });

  it('are read from where they are referred to, and written nowhere', async () => {
    const path = join(await folder(), 'token');
    await writeFile(path, `${TOKEN}\n`);
    await using stage = await createGatewayStage(
      { p: puppet() },
      { auth: 'always', tokens: [{ token: `\${file:${path}}` }] },
    );
    const said: string[] = [];
    for (const address of FACES.filter((face) => face !== '/events')) {
      const response = await stage.get(address, { headers: bearer(TOKEN) });
      said.push(JSON.stringify([...response.headers]), await response.text());
      said.push(await (await stage.get(address, { headers: bearer(`${TOKEN}-wrong`) })).text());
    }
    expect((await stage.get('/plugins', { headers: bearer(TOKEN) })).status).toBe(200);
    expect(stage.gatewayLog.length).toBeGreaterThan(0);
    expect([...said, ...stage.gatewayLog, ...stage.complaints].join('\n')).not.toContain(TOKEN);
  });

  it.each([
    ['CONFIG_REFERENCE', { tokens: [{ token: '${env:NO_SUCH_VARIABLE_HERE}' }] }],
    ['CONFIG_INVALID', { tokens: [{ token: 'short-secret' }] }],
  ])('that are none are refused when serving begins: %s', async (code, options) => {
    await using stage = await createGatewayStage();
    const gateway = createGateway(stage.supervisor, options);
    const error = await failureOf(serveHttp(gateway));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('short-secret');
    await gateway.close();
  });

  it('that are taken back end what is open with them, and nothing else', async () => {
    const tokens = [{ token: TOKEN }, { token: OTHER, profile: 'part' }];
    const profiles = { part: { plugins: ['p'] } };
    await using stage = await createGatewayStage({}, { auth: 'always', tokens, profiles });
    const open = async (token: string) => {
      const stream = (await stage.get('/events', { headers: bearer(token) })).body!.getReader();
      await stream.read();
      let over = false;
      const drain = async () => {
        while (!(await stream.read()).done);
      };
      drain()
        .catch(() => {})
        .then(() => {
          over = true;
        });
      return () => over;
    };
    const [mine, theirs] = [await open(TOKEN), await open(OTHER)];
    await stage.gateway.update({ auth: 'always', tokens: [...tokens].reverse(), profiles });
    await stage.gateway.update({ auth: 'always', tokens: tokens.slice(1), profiles });
    await eventually(mine);
    expect(theirs()).toBe(false);
    await stage.gateway.update({ auth: 'always', tokens: tokens.slice(1), profiles: { part: { plugins: ['q'] } } });
    await eventually(theirs);
  });

  it('must name a profile that there is', async () => {
    await using stage = await createGatewayStage();
    const options = { tokens: [{ token: TOKEN, profile: 'nobody' }] };
    expect(() => createGateway(stage.supervisor, options)).toThrow(/tokens\[0\].*'nobody'/);
  });

  it('can be other ones from one moment to the next', async () => {
    await using stage = await createGatewayStage({}, { auth: 'always', tokens: [{ token: TOKEN }] });
    await stage.gateway.update({ auth: 'always', tokens: [{ token: OTHER }] });
    expect((await stage.get('/plugins', { headers: bearer(TOKEN) })).status).toBe(401);
    expect((await stage.get('/plugins', { headers: bearer(OTHER) })).status).toBe(200);
    await failureOf(stage.gateway.update({ auth: 'always', tokens: [{ token: 'short' }] }));
    expect((await stage.get('/plugins', { headers: bearer(OTHER) })).status).toBe(200);
  });
});

describe('who listens where', () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

  it('needs a token on every address of a socket that others can reach', async () => {
    await using stage = await createGatewayStage({}, { tokens: [{ token: TOKEN }] }, { serve: { host: '0.0.0.0' } });
    const { port } = new URL(stage.url);
    for (const host of ['127.0.0.1', ...(outside === undefined ? [] : [outside])]) {
      const at = `http://${host}:${port}/plugins`;
      expect((await fetch(at)).status).toBe(401);
      expect((await fetch(at, { headers: bearer(TOKEN) })).status).toBe(200);
    }
  });

  it('is refused off loopback without any token', async () => {
    await using stage = await createGatewayStage();
    const error = await failureOf(serveHttp(stage.gateway, { host: '0.0.0.0' }));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('no token') });
  });

  it('is told when a port is taken, and by whom', async () => {
    await using stage = await createGatewayStage();
    const error = await failureOf(serveHttp(stage.gateway, { port: Number(new URL(stage.url).port) }));
    expect(error.code).toBe('CONFIG_ADDRESS');
    expect(error.message).toContain(`pid ${process.pid}`);
  });

  it('is the owner on a Unix socket, whatever is asked elsewhere', async () => {
    const path = join(await folder(), 'gateway.sock');
    await using _stage = await createGatewayStage(
      {},
      { auth: 'always', tokens: [{ token: TOKEN }] },
      { serve: { socket: path } },
    );
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const status = await new Promise((resolve, reject) => {
      request({ socketPath: path, path: '/plugins', headers: { host: 'whatever.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  it('makes a Unix socket that nobody else could open for a moment', async () => {
    await using stage = await createGatewayStage();
    const path = join(await folder(), 'gateway.sock');
    const mask = process.umask(0);
    try {
      const serving = serveHttp(stage.gateway, { socket: path });
      let mode: number | undefined;
      while (mode === undefined) {
        await new Promise(setImmediate);
        mode = statSync(path, { throwIfNoEntry: false })?.mode;
      }
      expect(mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0);
      await (await serving).close();
    } finally {
      process.umask(mask);
    }
  });

  it('takes the place of a socket that nobody answers at, and of nothing else', async () => {
    const place = await folder();
    await using stage = await createGatewayStage();
    const file = join(place, 'notes');
    await writeFile(file, 'mine');
    expect((await failureOf(serveHttp(stage.gateway, { socket: file }))).code).toBe('CONFIG_ADDRESS');
    expect(await readFile(file, 'utf8')).toBe('mine');

    const path = join(place, 'gateway.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    const service = await serveHttp(stage.gateway, { socket: path });
    expect((await failureOf(serveHttp(stage.gateway, { socket: path }))).code).toBe('CONFIG_ADDRESS');
    await service.close();
  });

  it('believes X-Forwarded-* of the one proxy that it was told of', async () => {
    const forwarded = {
      'x-forwarded-host': 'gateway.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1, 203.0.113.7',
      origin: 'https://gateway.example',
    };
    const options = { allowHost: ['gateway.example'], tokens: [{ token: TOKEN }] };
    await using trusting = await createGatewayStage({}, { ...options, trustedProxy: '127.0.0.1' });
    // Behind a proxy on loopback the caller is whoever the proxy saw.
    expect((await rawRequest(`${trusting.url}/plugins`, { headers: forwarded })).status).toBe(401);
    expect((await rawRequest(`${trusting.url}/plugins`, { headers: { ...forwarded, ...bearer(TOKEN) } })).status).toBe(
      200,
    );
    expect(
      (await rawRequest(`${trusting.url}/plugins`, { headers: { ...forwarded, 'x-forwarded-host': 'evil.example' } }))
        .status,
    ).toBe(403);
    await using strict = await createGatewayStage({}, { ...options, trustedProxy: '192.0.2.1' });
    expect((await rawRequest(`${strict.url}/plugins`, { headers: forwarded })).status).toBe(403);
  });
});

describe('a caller whom a proxy brings that nobody told us of', () => {
  it.each([
    ['x-forwarded-for', '203.0.113.7', 401],
    ['x-forwarded-for', '127.0.0.1, 203.0.113.7', 401],
    ['x-forwarded-for', '203.0.113.7, 127.0.0.1', 401],
    ['x-forwarded-for', 'unknown', 401],
    ['forwarded', 'for=203.0.113.7;proto=http', 401],
    ['forwarded', 'for="[2001:db8::1]:4711"', 401],
    ['x-forwarded-for', '127.0.0.1', 200],
    ['x-forwarded-for', '::1, ::ffff:127.0.0.1, 127.0.0.1:80', 200],
    ['forwarded', 'for="[::1]:80";host=localhost', 200],
  ])('is no caller of this machine unless it says so: %s: %s', async (header, value, status) => {
    await using stage = await createGatewayStage();
    expect((await rawRequest(`${stage.url}/plugins`, { headers: { [header]: value } })).status).toBe(status);
  });
});

describe('bounds', () => {
  it('hold each principal to its rate, and say when to come back', async () => {
    await using stage = await createGatewayStage({}, { rateLimit: 2 });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let request = 0; request < 30 && last?.status !== 429; request += 1) {
      last = await stage.get('/plugins');
      statuses.push(last.status);
    }
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(last?.status).toBe(429);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await stage.get('/healthz')).status).toBe(200);
  });

  it('end the connection of one who never reads a large answer, and of nobody else', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    await stage.supervisor.start('p');
    const sockets: Socket[] = [];
    stage.service.server.on('connection', (socket) => sockets.push(socket));
    const ask = (path: string, given: object) => {
      const body = JSON.stringify(given);
      const caller = connect(Number(new URL(stage.url).port), '127.0.0.1');
      caller.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return caller.pause();
    };
    const large = ask('/plugins/p', { tool: 'big', arguments: { bytes: 9e6 } });
    await eventually(() => sockets[0]?.timeout === 60_000);
    sockets[0]?.emit('timeout');
    expect(sockets[0]?.destroyed).toBe(true);
    large.destroy();
    const patient = ask('/plugins/p', { tool: 'slow', arguments: { ms: 1 } });
    patient.resume();
    await once(patient, 'data');
    expect(sockets[1]?.timeout).not.toBe(60_000);
    patient.destroy();
  });

  it('keep nothing of requests that waited behind another one when their connection closed', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    await stage.supervisor.start('p');
    const inFlight = async () => {
      const text = await (await stage.get('/metrics')).text();
      return Number(/^mcp_supervisor_http_requests_in_flight (\d+)$/m.exec(text)?.[1]);
    };
    const body = JSON.stringify({ tool: 'never' });
    const caller = connect(Number(new URL(stage.url).port), '127.0.0.1');
    caller.on('error', () => {});
    caller.write(
      `POST /plugins/p HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}` +
        'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(3),
    );
    await eventually(async () => (await inFlight()) === 5);
    caller.destroy();
    await eventually(async () => (await inFlight()) === 1);
  });

  it('refuse headers that are too large, and requests that are none', async () => {
    await using stage = await createGatewayStage();
    expect((await rawRequest(`${stage.url}/`, { headers: { 'x-large': 'x'.repeat(20_000) } })).status).toBe(431);
    const { port } = new URL(stage.url);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('what?\r\n\r\n'));
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
  });

  it('are told to the server itself', async () => {
    await using stage = await createGatewayStage();
    const { headersTimeout, requestTimeout } = stage.service.server;
    expect(headersTimeout).toBeGreaterThan(0);
    expect(requestTimeout).toBeGreaterThanOrEqual(headersTimeout);
  });
});

describe('every answer', () => {
  it('has the headers that keep browsers from sniffing, keeping and framing it', async () => {
    await using stage = await createGatewayStage();
    for (const path of ['/', '/nothing', '/healthz', '/metrics']) {
      const { headers } = await stage.get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('tells nothing of a bug of ours but that there is one', async () => {
    await using stage = await createGatewayStage();
    const broken = createGateway(
      {
        ...stage.supervisor,
        status: (): never => {
          throw new TypeError('/secret/path leaked');
        },
      },
      { logger: { debug() {}, info() {}, warn() {}, error: (fields, message) => logged.push([fields, message]) } },
    );
    const logged: unknown[] = [];
    const service = await serveHttp(broken);
    const response = await fetch(`${service.url}/plugins`);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain('leaked');
    expect(text).not.toContain('    at ');
    expect(logged).toHaveLength(1);
    await broken.close();
    await service.close();
  });
});

describe('methods', () => {
  it('that mean nothing are told which ones do', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const wrong = await stage.get('/plugins/p', { method: 'PUT' });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
    const options = await stage.get('/plugins/p/start', { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('POST, OPTIONS');
    const head = await stage.get('/plugins', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    const lost = await stage.get('/plugins/p/nothing');
    expect(lost.status).toBe(404);
    expect(await lost.json()).toMatchObject({
      error: { code: 'HTTP_NOT_FOUND', hint: expect.stringContaining('openapi.json') },
    });
  });

  it('can neither add a plugin nor change its command', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const before = stage.supervisor.fingerprint('p');
    for (const [method, path] of [
      ['POST', '/plugins'],
      ['PUT', '/plugins/q'],
      ['PATCH', '/plugins/p'],
      ['DELETE', '/plugins/p'],
      ['POST', '/plugins/q'],
    ] as const) {
      const body = JSON.stringify({ source: '-- touch /tmp/x', command: ['touch'] });
      expect((await stage.get(path, { method, body })).status).toBeGreaterThanOrEqual(404);
    }
    expect(stage.supervisor.list()).toEqual(['p']);
    expect(stage.supervisor.fingerprint('p')).toBe(before);
  });
});
