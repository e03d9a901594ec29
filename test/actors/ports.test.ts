import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { usesProc } from '../../actors/platform.ts';
import { createLsofSockets } from '../../actors/ports/lsof-sockets.ts';
import { createPortLeases, listeningSockets, portHolder } from '../../actors/ports.ts';
import { programs } from './process-harness.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Resolves with pid and port once it listens. */
async function listen(where: string, host = '127.0.0.1'): Promise<{ pid: number; port: number }> {
  const child = spawn(process.execPath, [join(programs, 'listens.mjs'), where, host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [chunk] = await once(child.stdout, 'data');
  return { pid: child.pid!, port: Number(String(chunk).split(' ').at(-1)) };
}

describe('leases', () => {
  it('are fifty different ports for fifty plugins at once', async () => {
    const leases = createPortLeases();
    const ports = await Promise.all(Array.from({ length: 50 }, () => leases.lease()));
    expect(new Set(ports).size).toBe(50);
  });

  it('are ports that can be bound', async () => {
    const port = await createPortLeases().lease();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  });

  it('are not given again for a minute after their release', async () => {
    let now = 0;
    const ports = [4001, 4001, 4002, 4001, 4001];
    const leases = createPortLeases({ now: () => now, pick: async () => ports.shift()! });
    expect(await leases.lease()).toBe(4001);
    leases.release(4001);
    now = 59_999;
    expect(await leases.lease()).toBe(4002);
    now = 60_000;
    expect(await leases.lease()).toBe(4001);
    leases.release(4002);
  });
});

describe('listening sockets', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::1', '::1'],
    ['::', '::'],
  ])('show that a process bound %s', async (host, shown) => {
    const { pid, port } = await listen('0', host);
    expect(await listeningSockets([pid])).toEqual([{ host: shown, port, path: null }]);
  });

  it('are those of the named processes and nobody else’s', async () => {
    const [mine, other] = await Promise.all([listen('0'), listen('0')]);
    expect(await listeningSockets([mine.pid])).toEqual([{ host: '127.0.0.1', port: mine.port, path: null }]);
    expect(await listeningSockets([])).toEqual([]);
    expect(await listeningSockets([mine.pid, other.pid, 2 ** 30])).toHaveLength(2);
  });

  it('are found by path for Unix sockets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcps-'));
    // On Linux, lsof takes what is behind a blank for something else.
    const path = join(folder, usesProc ? 'with blank.sock' : 'plain.sock');
    const { pid } = await listen(path);
    expect(await listeningSockets([pid])).toEqual([{ host: '', port: 0, path }]);
    await rm(folder, { recursive: true });
  });
});

describe('a port’s holder', () => {
  it('is named', async () => {
    const { pid, port } = await listen('0');
    expect(await portHolder(port)).toEqual({ pid, name: expect.stringMatching(/node|Main/i) });
  });

  it('is null for a free port', async () => {
    expect(await portHolder(await createPortLeases().lease())).toBe(null);
  });
});

it('the portable twin finds the same', async () => {
  const { pid, port } = await listen('0');
  const table = createLsofSockets();
  expect(await table.listening([pid])).toEqual([{ host: '127.0.0.1', port, path: null }]);
  expect(await table.listening([])).toEqual([]);
  expect(await table.holder(port)).toMatchObject({ pid });
});
