/** What macOS has in place of `/proc`, on any system: `ps`, `lsof` and Perl instead, and the guard by `ps`. */

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft, expectProcessesToEnd, isAlive } from '../support/leftovers.ts';
import { bundleProgram, startProgram } from '../support/program.ts';

// The choice is made when the modules are loaded, and each file of tests loads its own.
process.env.MCP_SUPERVISOR_PROC = 'off';
const { usesProc } = await import('../../actors/platform.ts');
const { descendants, findsEscapees, pidsWithCookie, processIdentity } = await import('../../actors/groups.ts');
const { ownerCookies } = await import('../../actors/cookie.ts');
const { createStore } = await import('../../actors/store/create-store.ts');
const { createStage, eventually, program, puppet, textOf } = await import('./stage.ts');

/** Long enough never to expire here. */
const PATIENT = 60_000;
const GUARD = 'mcp-supervisor-guard';
/** What a supervisor and its plugins need, without lsof. */
const ESSENTIALS = ['node', 'sh', 'ps', 'perl', 'flock', 'sysctl'];
const commandOf = (pid: number) => execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
const below = (path: string) => new URL(`../../fixtures/${path}`, import.meta.url).pathname;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mcps-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A PATH with these programs only. */
async function pathWith(names: readonly string[]): Promise<string> {
  const path = await folder();
  for (const name of names) {
    for (const from of (process.env.PATH ?? '').split(delimiter)) {
      const found = await stat(join(from, name)).catch(() => null);
      if (found?.isFile()) {
        await symlink(join(from, name), join(path, name));
        break;
      }
    }
  }
  return path;
}

function setPath(path: string): void {
  const before = process.env.PATH;
  process.env.PATH = path;
  onTestFinished(() => {
    process.env.PATH = before;
  });
}

test('nothing is asked of /proc', () => {
  expect(usesProc).toBe(false);
  expect(processIdentity(process.pid)?.startTime).toMatch(/^[A-Z][a-z]{2}[A-Z][a-z]{2}\d{9,}$/);
});

test('ps, lsof and perl are what is asked', async () => {
  const shims = await folder();
  const log = join(shims, 'log');
  for (const name of ['ps', 'lsof', 'perl', 'flock']) {
    const text = `#!/bin/sh\necho ${name} >> ${log}\nPATH=\${PATH#*:} exec ${name} "$@"\n`;
    await writeFile(join(shims, name), text, { mode: 0o755 });
  }
  setPath(`${shims}${delimiter}${process.env.PATH}`);
  await using stage = await createStage();
  const { supervisor } = stage;
  supervisor.add('p', program(['node', 'mcp/http.mjs']));
  await supervisor.start('p');
  await supervisor.stop('p');
  const asked = new Set((await readFile(log, 'utf8')).trim().split('\n'));
  expect([...asked].sort()).toEqual(['lsof', 'perl', 'ps']);
});

describe('stopping', () => {
  const running = async (mode = '', timing: object = {}, command?: readonly string[]) => {
    const stage = await createStage({ timing: { inputClose: 50, terminate: 500, ...timing } });
    stage.supervisor.add('p', puppet(mode, command && { command, install: [], build: [] }));
    const { pid } = await stage.supervisor.start('p');
    const call = async (tool: string, given = {}) =>
      Number(textOf(await stage.supervisor.call('p', { tool, arguments: given })));
    return { stage, pid: pid!, call };
  };

  test('ends a server behind shells', async () => {
    const command = ['sh', '-c', 'sh -c "node server.js; true"; true'];
    const { stage, pid, call } = await running('ignores-eof', { terminate: PATIENT }, command);
    await using _ = stage;
    const server = await call('pid');
    expect(server).not.toBe(pid);
    await stage.supervisor.stop('p');
    expect(await isAlive(server)).toBe(false);
  });

  test('ends a child that ignores TERM, one that holds stdout, and one in a session of its own', async () => {
    expect(findsEscapees()).toBe(true);
    const { stage, call } = await running();
    await using _ = stage;
    const children = [
      await call('child', { stubborn: true }),
      await call('child', { stubborn: true, stdout: true }),
      await call('child', { stubborn: true, escaped: true }),
    ];
    await stage.supervisor.stop('p');
    expect(await Promise.all(children.map(isAlive))).toEqual([false, false, false]);
    expect(stage.supervisor.status('p')).toMatchObject({ state: 'absent', failure: null });
  });

  test('ends a stopped program by TERM and CONT', async () => {
    const { stage, pid } = await running('', { terminate: PATIENT });
    await using _ = stage;
    process.kill(pid, 'SIGSTOP');
    await stage.supervisor.stop('p');
    expect(await isAlive(pid)).toBe(false);
  });

  test('of fifty plugins at once ends them all', async () => {
    await using stage = await createStage({ timing: { inputClose: PATIENT }, slots: { launch: 50, install: 50 } });
    const { supervisor } = stage;
    const names = Array.from({ length: 50 }, (_, at) => `p${at}`);
    for (const name of names) supervisor.add(name, program(['sh', '-c', 'cat > /dev/null'], { transport: 'stdio' }));
    for (const name of names) void supervisor.start(name).catch(() => undefined);
    const mine = () => pidsWithCookie(ownerCookies(stage.home.path)).length;
    await eventually(() => names.every((name) => supervisor.status(name).pid !== null));
    expect(mine()).toBeGreaterThanOrEqual(50);
    await Promise.all(names.map((name) => supervisor.stop(name)));
    expect(mine()).toBe(0);
  });
});

describe('a supervisor that is killed', () => {
  let supervise: string;
  beforeAll(async () => {
    supervise = await bundleProgram('actors/programs/supervise.ts');
  });

  const CALLS = ['{}', '{"escaped":true,"stubborn":true}'].map((given) => ({
    tool: 'child',
    arguments: JSON.parse(given),
  }));

  /** Resolves with the pids of the plugin and of two children of it, one of them elsewhere, once they are there. */
  async function started(home: TestHome) {
    const supervisor = startProgram(supervise, [home.path, below('plugins/puppet'), JSON.stringify(CALLS)], home.env);
    onTestFinished(() => void supervisor.child.kill('SIGKILL'));
    await supervisor.said('up');
    const { child } = supervisor;
    return {
      die: async ({ guardFirst = false } = {}) => {
        // Stopped, so that it does not replace its guard.
        if (guardFirst) child.kill('SIGSTOP');
        const guards = guardFirst ? descendants(child.pid!).filter((pid) => commandOf(pid).includes(GUARD)) : [];
        for (const guard of guards) process.kill(guard, 'SIGKILL');
        expect(guards.length).toBe(guardFirst ? 1 : 0);
        child.kill('SIGKILL');
        return (await supervisor.output).split('\n').slice(0, 3).map(Number);
      },
    };
  }

  test('leaves nothing: its guard ends group and escapee', async () => {
    await using home = await createHome();
    const pids = await (await started(home)).die();
    await expectProcessesToEnd(home);
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false, false]);
  });

  test('leaves nothing to the next one on its home, when its guard was killed too', async () => {
    await using home = await createHome();
    const pids = await (await started(home)).die({ guardFirst: true });
    expect(await isAlive(pids[2]!)).toBe(true);
    await createStore({ home: home.path }).ledger.reap();
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false, false]);
    await expectNothingLeft(home);
  });
});

describe('a port', () => {
  test('that the program chose is found', async () => {
    await using stage = await createStage();
    const { supervisor } = stage;
    supervisor.add('p', program(['node', 'mcp/http.mjs']));
    await supervisor.start('p');
    const said = supervisor.logs('p').find(({ text }) => text.startsWith('listening on'));
    expect(supervisor.status('p').url).toContain(`:${said!.text.split(' ').at(-1)}`);
  });

  test.each(['streamable-http', 'auto'] as const)(
    'is known without lsof by what was handed over and what the program says: %s',
    async (transport) => {
      setPath(await pathWith(ESSENTIALS));
      await using stage = await createStage();
      const { supervisor } = stage;
      supervisor.add('p', program(['node', 'mcp/http.mjs'], { transport }));
      await supervisor.start('p');
      const said = supervisor.logs('p').find(({ text }) => text.startsWith('listening on'));
      expect(supervisor.status('p').url).toContain(`:${said!.text.split(' ').at(-1)}`);
    },
  );

  test('is not believed without lsof while the program says that it is taken', async () => {
    setPath(await pathWith(ESSENTIALS));
    const stranger = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await eventually(() => stranger.listening);
    const { port } = stranger.address() as { port: number };
    const words = `console.log('listening on ${port}'); console.error('EADDRINUSE: address already in use 127.0.0.1:${port}')`;
    await using stage = await createStage();
    const { supervisor } = stage;
    const command = ['node', '-e', `${words}; setInterval(() => {}, 1000)`];
    supervisor.add('p', program(command, { transport: 'http', env: { PORT: String(port) } }));
    await expect(supervisor.start('p')).rejects.toMatchObject({ code: 'LAUNCH_PORT_FIXED', data: { port } });
  });
});

describe('a Unix socket', () => {
  const plugin = { source: below('plugins/node-unix-socket') };

  /** In service, with the path that its own log names. */
  async function serving(stage: Awaited<ReturnType<typeof createStage>>) {
    const { supervisor } = stage;
    if (!supervisor.list().includes('p')) supervisor.add('p', plugin);
    const { pid } = await supervisor.start('p');
    const said = supervisor.logs('p').findLast(({ text }) => text.startsWith('listening on /'));
    return { pid: pid!, path: said!.text.slice('listening on '.length) };
  }

  test.each([
    ['with lsof', null],
    ['without lsof', ESSENTIALS],
  ] as const)('is in a folder that only its owner enters, and goes with the plugin: %s', async (_, names) => {
    if (names !== null) setPath(await pathWith(names));
    await using stage = await createStage();
    const { supervisor } = stage;
    const { path } = await serving(stage);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await supervisor.call('p', { path: '/x', body: { a: 1 } })).toMatchObject({ path: '/x', payload: { a: 1 } });
    await supervisor.stop('p');
    await expect(stat(dirname(path))).rejects.toThrow('ENOENT');
  });

  test('of a plugin that was killed is removed, and the next start has one of its own', async () => {
    await using stage = await createStage();
    const { supervisor } = stage;
    const first = await serving(stage);
    process.kill(first.pid, 'SIGKILL');
    await eventually(() => supervisor.status('p').generation === 2 && supervisor.status('p').state === 'ready');
    const second = await serving(stage);
    expect(second.path).not.toBe(first.path);
    await expect(stat(dirname(first.path))).rejects.toThrow('ENOENT');
  });

  test('of a supervisor that was killed is removed by the next one on its home', async () => {
    await using home = await createHome();
    const bundle = await bundleProgram('actors/programs/supervise.ts');
    const supervisor = startProgram(bundle, [home.path, plugin.source], home.env);
    onTestFinished(() => void supervisor.child.kill('SIGKILL'));
    await supervisor.said('up');
    const sockets = async () => (await readdir(join(home.path, 'tmp'))).filter((name) => name.startsWith('socket'));
    const outside = async () => (await readdir(home.tmp)).filter((name) => name.startsWith('mcps-'));
    expect([...(await sockets()), ...(await outside())].length).toBe(1);
    supervisor.child.kill('SIGKILL');
    await supervisor.output;
    await expectProcessesToEnd(home);
    await createStore({ home: home.path }).ledger.reap();
    await expectNothingLeft(home);
  });

  test('is elsewhere when home and TMPDIR are too long for one', async () => {
    const root = await folder();
    const long = join(root, 'x'.repeat(60), 'y'.repeat(60));
    await mkdir(join(long, 'tmp'), { recursive: true });
    const before = process.env.TMPDIR;
    process.env.TMPDIR = join(long, 'tmp');
    onTestFinished(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    await using stage = await createStage({ home: join(long, 'home') });
    const { path } = await serving(stage);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    await stage.supervisor.stop('p');
    await expect(stat(dirname(path))).rejects.toThrow('ENOENT');
  });
});
