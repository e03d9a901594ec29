/** Ports: who listens where, and what happens when somebody else does. */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PluginOptions, Supervisor } from '../../src/options.ts';
import { isAlive } from '../support/leftovers.ts';
import { createStage, eventually, failureOf, fixture, linesOf, program, statesOf } from './stage.ts';

const crashesOf = ({ actor }: Supervisor, name: string) => actor.getSnapshot().context.plugins[name]?.history.crashes;
const portOf = (supervisor: Supervisor, name: string) => Number(new URL(supervisor.status(name).url ?? '').port);
const pidOf = async (supervisor: Supervisor, name: string) =>
  ((await supervisor.call(name, {})) as { pid: number }).pid;

/** A stranger on a port of loopback (0: any), which counts who asks it and answers as if all were well. */
async function listen(port: number) {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const { port, close } = await listen(0);
  await close();
  return port;
}

/** `http.pl`: port, host, mode. */
const service = (args: readonly string[], more: Partial<PluginOptions> = {}) =>
  program(['perl', 'http.pl', ...args], { transport: 'http', ...more });

describe('R46 the leased port is taken before it is bound', () => {
  test.each([
    ['ends', 'streamable-http', 'mcp/http.mjs'],
    ['lives on', 'http', 'mcp/port-taken.mjs'],
  ] as const)(
    'R46 by a program that then %s: started again on another port, which is no crash',
    async (_, transport, server) => {
      await using stage = await createStage();
      const { supervisor, home } = stage;
      const [ports, gate] = [join(home.root, 'ports'), join(home.root, 'gate')];
      const command = ['sh', 'waits-to-bind.sh', 'node', server];
      supervisor.add('p', program(command, { transport, env: { WATCH: home.root } }));
      const starting = supervisor.start('p');
      const [stolen] = await eventually(async () => (await linesOf(ports)).length > 0 && (await linesOf(ports)));
      const stranger = await listen(Number(stolen));
      await writeFile(gate, '');
      expect(await starting).toMatchObject({ state: 'ready', generation: 2, failure: null });
      const [, second] = await linesOf(ports);
      expect(second).not.toBe(stolen);
      expect(portOf(supervisor, 'p')).toBe(Number(second));
      expect(stranger.asked()).toBe(0);
      expect(statesOf(supervisor, 'p')).not.toContain('crashed');
      expect(crashesOf(supervisor, 'p')).toEqual([]);
      await stranger.close();
    },
  );

  test('R46 a port that the program insists on is LAUNCH_PORT_FIXED, and never ready on the stranger', async () => {
    const stranger = await listen(0);
    const stubborn = program(['node', 'mcp/port-taken.mjs', String(stranger.port)], { transport: 'http' });
    await using stage = await createStage({ plugins: { stubborn } });
    const { supervisor } = stage;
    const error = await failureOf(supervisor.start('stubborn'));
    expect(error).toMatchObject({ code: 'LAUNCH_PORT_FIXED', retryable: false, data: { port: stranger.port } });
    // It names the holder: this test.
    expect(error.message).toContain(String(process.pid));
    expect(stranger.asked()).toBe(0);
    expect(statesOf(supervisor, 'stubborn')).not.toContain('ready');
    await stranger.close();
  });
});

describe('R47 a program that ignores the port that it is given', () => {
  test('R47 and binds one of its own is found where it listens', async () => {
    const own = await freePort();
    await using stage = await createStage({ plugins: { own: service([String(own)]) } });
    const { supervisor } = stage;
    expect(await pidOf(supervisor, 'own')).toBe(supervisor.status('own').pid);
    expect(portOf(supervisor, 'own')).toBe(own);
  });

  test('R47 and binds any is found where it listens, start for start', async () => {
    const random = program(['node', 'listens.mjs', '0'], { transport: 'http' });
    await using stage = await createStage({ plugins: { random } });
    const { supervisor } = stage;
    await supervisor.start('random');
    await supervisor.restart('random');
    const said = supervisor.logs('random').flatMap(({ text }) => /^listening on (\d+)$/.exec(text)?.[1] ?? []);
    expect(said).toHaveLength(2);
    expect(portOf(supervisor, 'random')).toBe(Number(said[1]));
  });

  test('R47 behind a shell that stays is found in the group', async () => {
    const own = await freePort();
    const script = `perl http.pl ${own}; true`;
    await using stage = await createStage({
      plugins: { own: program(['sh', '-c', script], { transport: 'http' }) },
    });
    const { supervisor } = stage;
    expect(await pidOf(supervisor, 'own')).not.toBe(supervisor.status('own').pid);
    expect(portOf(supervisor, 'own')).toBe(own);
  });
});

test('R48 a program that listens on every address is warned of, once, with its name and the host', async () => {
  const plugins = { open: service(['{port}', '0.0.0.0']), closed: service(['{port}']) };
  await using stage = await createStage({ plugins });
  const { supervisor } = stage;
  await supervisor.start('open');
  await supervisor.start('closed');
  for (let call = 0; call < 3; call += 1) await pidOf(supervisor, 'open');
  const warnings = stage.complaints.filter((line) => line.includes('others on the network can reach it'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(`open listens on 0.0.0.0:${portOf(supervisor, 'open')}`);
});

test('R49 50 HTTP plugins at once: 50 ports, and each answers for itself', async () => {
  const names = Array.from({ length: 50 }, (_, at) => `p${at}`);
  const one: PluginOptions = {
    source: `-- perl ${fixture('processes/http.pl')} {port}`,
    transport: 'http',
    envPolicy: 'minimal',
  };
  await using stage = await createStage({
    plugins: Object.fromEntries(names.map((name) => [name, one])),
    slots: { install: 50, launch: 50 },
  });
  const { supervisor } = stage;
  const pids = await Promise.all(names.map((name) => pidOf(supervisor, name)));
  expect(pids).toEqual(names.map((name) => supervisor.status(name).pid));
  expect(new Set(pids).size).toBe(50);
  expect(new Set(names.map((name) => portOf(supervisor, name))).size).toBe(50);
  expect(names.map((name) => supervisor.status(name).generation)).toEqual(names.map(() => 1));
});

describe('R50 after a crash the port is still in use', () => {
  const quick = { minDelay: 1, maxDelay: 1 };
  /** Connections that the server has closed stay in TIME_WAIT on its side for a minute. */
  const timeWaits = async (port: number) => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return (await linesOf('/proc/net/tcp')).filter((line) => new RegExp(`^ *\\d+: \\S+:${hex} \\S+ 06 `).test(line))
      .length;
  };

  test('R50 by a grandchild that has escaped with the listener: it goes, and the next generation has the port', async () => {
    const fixed = await freePort();
    const held = service(['{port}', '127.0.0.1', 'forks'], { port: fixed });
    await using stage = await createStage({ plugins: { held }, restartPolicy: quick, timing: { terminate: 100 } });
    const { supervisor } = stage;
    const first = await pidOf(supervisor, 'held');
    const child = () => supervisor.logs('held').flatMap(({ text }) => /^child (\d+)$/.exec(text)?.[1] ?? []);
    const [grandchild] = await eventually(() => child().length > 0 && child());
    if (existsSync('/proc/net/tcp')) expect(await timeWaits(fixed)).toBeGreaterThan(0);
    process.kill(first, 'SIGKILL');
    await supervisor.waitFor('held', 'crashed');
    expect(await isAlive(Number(grandchild))).toBe(false);
    const second = await pidOf(supervisor, 'held');
    expect(second).not.toBe(first);
    expect(supervisor.status('held')).toMatchObject({ generation: 2, failure: null });
    expect(portOf(supervisor, 'held')).toBe(fixed);
  });

  test('R50 by connections in TIME_WAIT: the next generation of a program that minds gets another one', async () => {
    await using stage = await createStage({
      plugins: { rigid: service(['{port}', '127.0.0.1', 'rigid']) },
      restartPolicy: quick,
    });
    const { supervisor } = stage;
    const first = await pidOf(supervisor, 'rigid');
    const before = portOf(supervisor, 'rigid');
    process.kill(first, 'SIGKILL');
    await supervisor.waitFor('rigid', 'crashed');
    expect(await pidOf(supervisor, 'rigid')).not.toBe(first);
    expect(portOf(supervisor, 'rigid')).not.toBe(before);
    expect(supervisor.status('rigid')).toMatchObject({ generation: 2, failure: null });
  });
});

test.each(['http', 'streamable-http', 'auto'] as const)(
  'R51 it accepts and never answers (%s): PROBE_TIMEOUT at the start deadline, and its group is dead',
  async (transport) => {
    const port = await freePort();
    const script = `sleep 600 & echo "pid $!" >&2; echo "pid $$" >&2; exec perl http.pl ${port} 127.0.0.1 silent`;
    const silent = program(['sh', '-c', script], { transport, timeouts: { start: 8000 } });
    await using stage = await createStage({ plugins: { silent }, restartPolicy: { maxFailedStarts: 1 } });
    const { supervisor } = stage;
    const error = await failureOf(supervisor.start('silent'));
    expect(error).toMatchObject({ code: 'PROBE_TIMEOUT', phase: 'probe', generation: 1 });
    const pids = supervisor.logs('silent').flatMap(({ text }) => /^pid (\d+)$/.exec(text)?.[1] ?? []);
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(await isAlive(Number(pid))).toBe(false);
    expect(statesOf(supervisor, 'silent')).not.toContain('ready');
  },
);
