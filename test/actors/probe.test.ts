import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probe } from './probe-harness.ts';
import { createHarness, type Harness } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

const mcp = (name: string, ...args: string[]) => ['node', `mcp/${name}.mjs`, ...args];
const echo = { name: 'echo', arguments: { message: 'hi' } };

describe('the probe, not told the transport', () => {
  it('finds a stdio server, and its session answers', async () => {
    const probed = await probe(harness, mcp('tools'));
    expect(await probed.ready()).toMatchObject({
      transport: 'stdio',
      era: 'legacy',
      protocolVersion: '2025-06-18',
      port: null,
      tools: 6,
    });
    probed.leave();
    expect(await probed.session().request('tools/call', echo)).toEqual({ content: [{ type: 'text', text: 'hi' }] });
  });

  it('finds a stdio server behind a banner, foreign JSON and single bytes', async () => {
    const probed = await probe(harness, mcp('noisy'));
    expect((await probed.ready()).transport).toBe('stdio');
    expect(probed.session().tools.map(({ name }) => name)).toEqual(['größe ✓']);
    expect(harness.output.filter((line) => line.includes('a log line'))).toHaveLength(1);
    expect(harness.output.filter((line) => line.includes('Welcome'))).toHaveLength(1);
  });

  it('takes a slow stdio server with a web page beside it for what it is', async () => {
    const probed = await probe(harness, mcp('dashboard'));
    expect(await probed.ready()).toMatchObject({ transport: 'stdio', tools: 1 });
  });

  it.each(['json', 'events'])('finds Streamable HTTP that answers with %s', async (mode) => {
    const probed = await probe(harness, mcp('http'), { env: { MODE: mode } });
    const { port, ...ready } = await probed.ready();
    expect(ready).toMatchObject({ transport: 'streamable-http', era: 'legacy', tools: 2 });
    expect(port).toBeGreaterThan(0);
    expect(probed.session().url).toBe(`http://127.0.0.1:${port}/mcp`);
    expect(await probed.session().request('tools/call', echo)).toEqual({ content: [{ type: 'text', text: 'hi' }] });
  });

  it('finds HTTP+SSE', async () => {
    const probed = await probe(harness, mcp('sse'));
    expect(await probed.ready()).toMatchObject({ transport: 'sse', era: 'legacy', tools: 1 });
    expect(await probed.session().request('tools/call', echo)).toEqual({ content: [{ type: 'text', text: 'hi' }] });
  });

  it('finds plain HTTP after stdio stayed silent', async () => {
    const probed = await probe(harness, ['node', 'listens.mjs', '0']);
    expect(await probed.ready()).toMatchObject({ transport: 'http', era: null, protocolVersion: null, tools: 1 });
    expect(await probed.session().post({ any: 1 })).toBe('ok');
  });

  it('stores what it learned, with a lease for the next start', async () => {
    const probed = await probe(harness, mcp('http'));
    await probed.ready();
    const { attempt, attemptKey } = await harness.context.store.readFacts('p');
    expect(attemptKey).toBe('k');
    expect(attempt).toEqual({
      ...probed.input.attempt,
      transport: 'streamable-http',
      endpoint: '/mcp',
      era: 'legacy',
      port: 'lease',
    });
  });
});

describe('the probe, told the transport', () => {
  it('writes nothing to the stdin of an HTTP server', async () => {
    const plan = { transport: 'streamable-http' } as const;
    const probed = await probe(
      harness,
      [
        'node',
        '-e',
        `process.stdin.on('data', (d) => console.error('stdin', '' + d)); import('${import.meta.dirname}/../../fixtures/processes/mcp/http.mjs')`,
      ],
      { plan },
    );
    await probed.ready();
    expect(harness.output.filter((line) => line.includes('stderr stdin'))).toEqual([]);
  });

  it('asks at the endpoint that it knows and nowhere else', async () => {
    const probed = await probe(harness, mcp('http'), { plan: { transport: 'streamable-http', endpoint: '/mcp' } });
    await probed.ready();
    expect(harness.output.filter((line) => /POST (?!\/mcp )/.test(line))).toEqual([]);
  });

  it('wants 2xx of a health path', async () => {
    const plan = { transport: 'http', health: '/health', port: { env: ['PORT'], args: [], fixed: null } } as const;
    const service = `let asked = 0; require('node:http').createServer((q, s) => { console.error(q.url); s.statusCode = q.url === '/health' && ++asked > 2 ? 204 : 503; s.end(); }).listen(process.env.PORT, '127.0.0.1')`;
    const probed = await probe(harness, ['node', '-e', service], { plan });
    const { port } = await probed.ready();
    expect(port).toBe(probed.run.handle().leasedPort);
    expect(harness.output.filter((line) => line.includes('/health'))).toHaveLength(3);
  });

  it('talks over the Unix socket that it handed over', async () => {
    const plan = { transport: 'http', socket: { env: ['SOCKET'], args: [] } } as const;
    const service = `require('node:http').createServer((q, s) => s.end(q.url)).listen(process.env.SOCKET)`;
    const probed = await probe(harness, ['node', '-e', service], { plan });
    expect(await probed.ready()).toMatchObject({ transport: 'http', port: null });
    expect(await probed.session().post({ path: '/x', query: { a: 1 } })).toBe('/x?a=1');
  });

  it('takes the port that the program really opened, whatever it was told', async () => {
    const plan = { transport: 'streamable-http' } as const;
    const probed = await probe(harness, ['env', 'PORT=0', 'node', 'mcp/http.mjs'], { plan });
    const { port } = await probed.ready();
    const { leasedPort } = probed.run.handle();
    expect(leasedPort).not.toBeNull();
    expect(port).not.toBe(leasedPort);
  });
});

describe('the probe and the protocol era', () => {
  it('asks a server that refuses initialize for the modern era on the same pipe', async () => {
    const probed = await probe(harness, mcp('modern'));
    expect(await probed.ready()).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28', tools: 1 });
    expect((await harness.context.store.readFacts('p')).attempt?.era).toBe('modern');
  });

  it('asks for a fresh process when the first frame has spoilt this one', async () => {
    const probed = await probe(harness, mcp('modern', 'locked'));
    expect(await probed.failed()).toMatchObject({ retry: { era: 'modern' }, failure: { code: 'PROBE_PROTOCOL' } });
  });

  it('asks for a fresh process when tools are listed in the modern era alone', async () => {
    const probed = await probe(harness, mcp('both-eras'));
    expect(await probed.failed()).toMatchObject({ retry: { era: 'modern' }, failure: { code: 'PROBE_PROTOCOL' } });
    const again = await probe(harness, mcp('both-eras'), { attempt: { era: 'modern' } });
    expect(await again.ready()).toMatchObject({ era: 'modern', tools: 1 });
  });

  it('does not try another era on a server that knows only one', async () => {
    const probed = await probe(harness, mcp('both-eras', 'neither'));
    expect(await probed.failed()).toMatchObject({ retry: null, failure: { message: /does not list its tools/ } });
  });

  it('tells a service that can not be reached from a server that speaks wrongly', async () => {
    const probed = await probe(harness, mcp('tools-from-afar'), { protocol: 'legacy' });
    const failure = { code: 'LAUNCH_MISSING_SERVICE', message: /fetch failed/ };
    expect(await probed.failed()).toMatchObject({ retry: null, failure });
  });

  it('begins with the modern era when it is known', async () => {
    const probed = await probe(harness, mcp('modern', 'locked'), { attempt: { era: 'modern' } });
    expect(await probed.ready()).toMatchObject({ era: 'modern', tools: 1 });
  });

  it('does not try another era than the one that the spec pins', async () => {
    const probed = await probe(harness, mcp('modern'), { protocol: 'legacy' });
    expect(await probed.failed()).toMatchObject({ retry: null, failure: { code: 'PROBE_PROTOCOL' } });
  });

  it('follows a changed catalog in the modern era', async () => {
    const probed = await probe(harness, mcp('modern'));
    await probed.ready();
    const [before] = probed.session().tools;
    await new Promise<void>((resolve) => probed.session().onMessage(() => resolve()));
    expect(probed.session().tools).not.toEqual([before]);
    expect(probed.session().inFlight()).toBe(0);
  });

  it.each(['nonsense', 'empty'])('takes an %s answer to initialize for a broken server', async (kind) => {
    const probed = await probe(harness, mcp('refuses', kind));
    const { failure } = await probed.failed();
    expect(failure.code).toBe('PROBE_PROTOCOL');
    expect(failure.message).toContain('makes no sense');
  });

  it('quotes the error of a server that refuses both eras', async () => {
    const probed = await probe(harness, mcp('refuses', 'error'));
    expect((await probed.failed()).failure.message).toContain('no database');
  });
});

describe('the probe and ports', () => {
  it('does not believe in a port that a stranger holds', async () => {
    const stranger = harness.run(['node', 'listens.mjs', '0'], { plugin: 'stranger' });
    stranger.send({ type: 'spawn' });
    const port = (await stranger.line('listening on')).split(' ').at(-1)!;
    const probed = await probe(harness, mcp('port-taken', port), { plan: { transport: 'http' } });
    const { failure, retry } = await probed.failed();
    expect(retry).toBeNull();
    expect(failure.code).toBe('LAUNCH_PORT_FIXED');
    expect(failure.data).toMatchObject({ port: Number(port), holder: { pid: stranger.handle().pid } });
    expect(failure.message).toContain(`(pid ${stranger.handle().pid})`);
  });

  it('asks for a lease when the port of a program that was given none is taken', async () => {
    const stranger = harness.run(['node', 'listens.mjs', '0'], { plugin: 'stranger' });
    stranger.send({ type: 'spawn' });
    const port = (await stranger.line('listening on')).split(' ').at(-1)!;
    const probed = await probe(harness, mcp('port-taken', port));
    expect(await probed.failed()).toMatchObject({ retry: { port: 'lease' }, failure: { code: 'LAUNCH_PORT_TAKEN' } });
  });

  it('says nothing of a server that accepts and never answers, and stops when it is left', async () => {
    const probed = await probe(harness, mcp('never-answers'));
    await probed.run.line('open');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    probed.leave();
    expect(probed.events).toMatchObject([{ type: 'probe.listening', generation: 1 }]);
    expect(harness.context.instances.get('p')?.session).toBeNull();
  });

  it('says once that the program listens, before it is ready', async () => {
    const probed = await probe(harness, mcp('http'));
    const { port } = await probed.ready();
    expect(probed.events[0]).toEqual({ type: 'probe.listening', generation: 1, port });
    expect(probed.events).toHaveLength(2);
  });

  it('says nothing of a program that never opens a port', async () => {
    const probed = await probe(harness, ['node', 'forever.mjs'], { plan: { transport: 'http' } });
    await new Promise((resolve) => setTimeout(resolve, 500));
    probed.leave();
    expect(probed.events).toEqual([]);
  });

  it('names the login that an HTTP server wants', async () => {
    const probed = await probe(harness, mcp('http'), { env: { MODE: 'login' } });
    expect((await probed.failed()).failure).toMatchObject({ code: 'PROBE_PROTOCOL', data: { status: 401 } });
  });
});

describe('the probe of a program that ends', () => {
  it('leaves the exit to the process actor', async () => {
    const probed = await probe(harness, ['node', '-e', 'setTimeout(() => process.exit(4), 200)']);
    await probed.run.until('process.exited');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(probed.events).toEqual([]);
    probed.leave();
  });
});
