import { once } from 'node:events';
import { access, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portHolder } from '../../actors/ports.ts';
import { createHarness, type Harness, plan, type Run } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

const http = { transport: 'streamable-http' } as const;

async function spawned(run: Run, line: string): Promise<string> {
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  return run.line(line);
}

/** What the program was given: its environment and its arguments. */
async function given(run: Run): Promise<{ env: Record<string, string>; args: string[] }> {
  run.send({ type: 'spawn' });
  const env = (await run.line(' env ')).split(' env ')[1]!;
  const args = (await run.line(' args ')).split(' args ')[1]!;
  await run.until('group.empty');
  return { env: JSON.parse(env), args: JSON.parse(args) };
}

describe('a leased port', () => {
  it('is where a program that takes PORT listens', async () => {
    const run = harness.run(['node', 'listens.mjs'], { plan: http });
    await spawned(run, 'listening on');
    const { leasedPort, listening } = run.handle();
    expect(await listening()).toEqual([{ host: '127.0.0.1', port: leasedPort, path: null }]);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
  });

  it('is said by every usual variable, which agree', async () => {
    const { env } = await given(harness.run(['node', 'prints-env.mjs'], { plan: http }));
    const { PORT } = env;
    expect(Number(PORT)).toBeGreaterThan(0);
    expect(env).toMatchObject({
      HOST: '127.0.0.1',
      MCP_PORT: PORT,
      FASTMCP_PORT: PORT,
      FASTMCP_HOST: '127.0.0.1',
      UVICORN_PORT: PORT,
      SERVER_PORT: PORT,
      FLASK_RUN_PORT: PORT,
      ASPNETCORE_URLS: `http://127.0.0.1:${PORT}`,
    });
  });

  it('is said by the plan’s variables and arguments where it has them', async () => {
    const port = { env: ['MY_PORT'], args: ['--port', '{port}', '--host={host}'], fixed: null };
    const { env, args } = await given(
      harness.run(['node', 'prints-env.mjs', 'serve'], { plan: { port }, attempt: { port: 'lease' } }),
    );
    expect(env.PORT).toBeUndefined();
    expect(args).toEqual(['serve', '--port', env.MY_PORT, '--host=127.0.0.1']);
  });

  it('is said as an address by variables that take one', async () => {
    const port = { env: ['MY_PORT', 'ASPNETCORE_URLS'], args: [], fixed: null };
    const { env } = await given(
      harness.run(['node', 'prints-env.mjs'], { plan: { port }, attempt: { port: 'lease' } }),
    );
    expect(env.ASPNETCORE_URLS).toBe(`http://127.0.0.1:${env.MY_PORT}`);
  });

  it('fills in {port} in the command, and is then not appended as well', async () => {
    const port = { env: [], args: ['--port', '{port}'], fixed: null };
    const { env, args } = await given(harness.run(['node', 'prints-env.mjs', '-p{port}'], { plan: { port } }));
    expect(args).toEqual([`-p${env.PORT}`]);
  });

  it('yields to a port that the owner set', async () => {
    const { env } = await given(
      harness.run(['node', 'prints-env.mjs'], { plan: { ...http, env: { HOST: '0.0.0.0' } }, env: { PORT: '1234' } }),
    );
    expect(env.PORT).toBe('1234');
    expect(env.MCP_PORT).not.toBe('1234');
    expect(env.HOST).toBe('127.0.0.1');
  });

  it('is the fixed one where the plan knows that the program opens no other', async () => {
    const run = harness.run(['node', 'prints-env.mjs'], { plan: { ...http, port: { ...plan.port, fixed: 4321 } } });
    const { env } = await given(run);
    expect(env.PORT).toBe('4321');
  });

  it('is not given to a program that may speak on stdio', async () => {
    const run = harness.run(['node', 'prints-env.mjs']);
    const { env, args } = await given(run);
    expect(env.PORT).toBeUndefined();
    expect(env.HOST).toBeUndefined();
    expect(args).toEqual([]);
  });
});

describe('the socket that counts', () => {
  it('is found where a program ignores PORT', async () => {
    const run = harness.run(['node', 'listens.mjs', '0'], { plan: http });
    const port = Number((await spawned(run, 'listening on')).split(' ').at(-1));
    expect(port).not.toBe(run.handle().leasedPort);
    expect(await run.handle().listening()).toEqual([{ host: '127.0.0.1', port, path: null }]);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
  });

  it('is found in a process behind a wrapper', async () => {
    const run = harness.run(['sh', '-c', 'node listens.mjs; true'], { plan: http });
    await spawned(run, 'listening on');
    expect(await run.handle().listening()).toMatchObject([{ port: run.handle().leasedPort }]);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
  });

  it('shows that a program is open to the network', async () => {
    const run = harness.run(['node', 'listens.mjs', '{port}', '0.0.0.0']);
    await spawned(run, 'listening on');
    expect(await run.handle().listening()).toMatchObject([{ host: '0.0.0.0' }]);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
  });

  it('is not a stranger’s who took the port first', async () => {
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const script = `require('http').createServer().on('error', (e) => console.error(e.code)).listen(${port}, '127.0.0.1'); setInterval(() => {}, 1000)`;
    const run = harness.run(['node', '-e', script], { plan: http });
    await spawned(run, 'EADDRINUSE');
    expect(await run.handle().listening()).toEqual([]);
    expect(await portHolder(port)).toMatchObject({ pid: process.pid });
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
    stranger.close();
  });
});

describe('a Unix socket', () => {
  const socket = { env: ['SOCKET_PATH'], args: ['{socket}'] };

  it('gets a path in a private folder, which goes with the program', async () => {
    const run = harness.run(['node', 'listens.mjs'], { plan: { ...http, socket } });
    await spawned(run, 'listening on');
    const { socketPath, leasedPort, listening } = run.handle();
    expect(leasedPort).toBe(null);
    expect(Buffer.byteLength(socketPath!)).toBeLessThanOrEqual(100);
    expect((await stat(dirname(socketPath!))).mode & 0o777).toBe(0o700);
    expect(await listening()).toEqual([{ host: '', port: 0, path: socketPath }]);
    run.send({ type: 'signal', signal: 'SIGTERM' });
    await run.until('group.empty');
    await expect(access(dirname(socketPath!))).rejects.toThrow('ENOENT');
  });

  it('is said by the plan’s variables', async () => {
    const { env, args } = await given(harness.run(['node', 'prints-env.mjs'], { plan: { socket } }));
    expect(env.SOCKET_PATH).toBe(args[0]);
    expect(env.PORT).toBeUndefined();
  });

  it('that a command needs but no plan gives is LAUNCH_SPAWN', async () => {
    const run = harness.run(['node', 'prints-env.mjs', '{socket}']);
    run.send({ type: 'spawn' });
    const { failure } = await run.until('process.failed');
    expect(failure).toMatchObject({
      code: 'LAUNCH_SPAWN',
      generation: 1,
      message: expect.stringContaining('{socket}'),
    });
    await run.until('group.empty');
  });
});

it('fifty plugins at once get fifty ports', async () => {
  const runs = Array.from({ length: 50 }, (_, at) =>
    harness.run(['sh', '-c', 'echo "port=$PORT"'], { plugin: `p${at}`, plan: http }),
  );
  for (const run of runs) run.send({ type: 'spawn' });
  const lines = await Promise.all(runs.map((run) => run.line('port=')));
  expect(new Set(lines.map((line) => line.split('=')[1])).size).toBe(50);
  await Promise.all(runs.map((run) => run.until('group.empty')));
});
