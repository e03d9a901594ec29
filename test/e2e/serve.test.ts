import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { errorOf, runCli, startCli } from '../support/cli.ts';
import { overSocket, PUPPET, readText, startDaemon, writeConfig } from '../support/daemon.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft, expectProcessesToEnd } from '../support/leftovers.ts';

const post = async (url: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const echo = { tool: 'echo', arguments: { message: 'hello' } };
const HELLO = { content: [{ type: 'text', text: 'hello' }] };

const json = async (home: TestHome, ...args: string[]) => {
  const result = await runCli(home, [...args, '--json']);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return JSON.parse(result.stdout) as Record<string, unknown>;
};
const fails = async (home: TestHome, ...args: string[]) => {
  const result = await runCli(home, [...args, '--json']);
  return { exitCode: result.exitCode, code: errorOf(result).code, hint: errorOf(result).hint };
};

describe('the daemon', { timeout: 120_000 }, () => {
  test('answers over TCP and its socket, starts plugins with the first call, and leaves nothing', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    await using daemon = await startDaemon(home);
    expect((await stat(daemon.started.socket)).mode & 0o777).toBe(0o600);
    expect((await stat(home.path)).mode & 0o777).toBe(0o700);
    const before = await json(home, 'status', 'puppet');
    expect(before).toMatchObject({ state: 'absent', generation: 0 });

    expect(await post(`${daemon.url}/plugins/puppet`, echo)).toEqual({ status: 200, body: HELLO });
    expect(await overSocket(daemon.started.socket, 'POST', '/plugins/puppet', echo)).toEqual({
      status: 200,
      body: HELLO,
    });
    expect(await json(home, 'status', 'puppet')).toMatchObject({
      state: expect.stringMatching(/^(ready|idle)$/),
      generation: 1,
    });

    await daemon.stop();
    expect(await daemon.process.result).toMatchObject({ exitCode: 0 });
    expect(existsSync(daemon.started.socket)).toBe(false);
    await expectNothingLeft(home);
  });

  test('is one per home, and the next one may start as soon as it is gone', async () => {
    await using home = await createHome();
    {
      await using _first = await startDaemon(home);
      expect(await fails(home, 'serve', '--port', '0')).toMatchObject({ exitCode: 2, code: 'HOME_DAEMON_RUNNING' });
    }
    await using second = await startDaemon(home);
    expect((await overSocket(second.started.socket, 'GET', '/daemon')).status).toBe(200);
  });

  test('takes over the socket that a killed one left, and ends what that one ran', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    await using first = await startDaemon(home);
    await post(`${first.url}/plugins/puppet`, echo);
    first.process.child.kill('SIGKILL');
    await first.process.result;
    expect(existsSync(first.started.socket)).toBe(true);
    expect(await fails(home, 'start', 'puppet')).toMatchObject({ exitCode: 2, code: 'HOME_NO_DAEMON' });
    await using second = await startDaemon(home);
    expect(await json(home, 'call', 'puppet', 'echo', 'message=hello')).toEqual(HELLO);
    await second.stop();
    await expectProcessesToEnd(home);
  });

  test('ends on the second signal though a plugin would rather not', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: { source: PUPPET, env: { PUPPET: 'stubborn' } } } });
    await using daemon = await startDaemon(home);
    await post(`${daemon.url}/plugins/puppet`, echo);
    daemon.process.child.kill('SIGINT');
    await daemon.process.said(/"text":"stopping"/);
    daemon.process.child.kill('SIGINT');
    expect(await daemon.process.result).toMatchObject({ exitCode: 0 });
    await expectNothingLeft(home);
  });

  test('says which port is taken, and keeps nothing', async () => {
    await using home = await createHome();
    await using other = await createHome();
    await using daemon = await startDaemon(other);
    const { port } = new URL(daemon.url);
    expect(await fails(home, 'serve', '--port', port)).toMatchObject({ exitCode: 2, code: 'CONFIG_ADDRESS' });
    expect(existsSync(join(home.path, 'daemon.sock'))).toBe(false);
    await expectNothingLeft(home);
  });

  test('runs in the background on request, tells how it is, and is ended by a word', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    const started = await json(home, 'serve', '--port', '0', '--detach');
    try {
      expect(await json(home, 'serve', '--status')).toMatchObject({
        pid: started.pid,
        plugins: ['puppet'],
        problem: null,
      });
      expect(await json(home, 'call', 'puppet', 'echo', 'message=hello')).toEqual(HELLO);
      expect(await readText(join(home.path, 'daemon.log'))).toContain('puppet ready');
      expect(await fails(home, 'serve', '--port', '0', '--detach')).toMatchObject({
        exitCode: 2,
        code: 'HOME_DAEMON_RUNNING',
      });
    } finally {
      expect(await json(home, 'serve', '--stop')).toEqual({ stopped: started.pid });
    }
    expect(await json(home, 'serve', '--stop')).toEqual({ stopped: null });
    expect(await fails(home, 'serve', '--status')).toMatchObject({ exitCode: 2, code: 'HOME_NO_DAEMON' });
    await expectNothingLeft(home);
  });

  test('asks for a token where others can reach it, and shows the one that it made once', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    await using first = await startDaemon(home, ['--host', '0.0.0.0']);
    const token = first.started.token ?? '';
    expect(token.length).toBeGreaterThan(20);
    const url = first.url.replace('0.0.0.0', '127.0.0.1');
    expect((await post(`${url}/plugins/puppet`, echo)).status).toBe(401);
    expect((await post(`${url}/plugins/puppet`, echo, { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await overSocket(first.started.socket, 'GET', '/plugins')).status).toBe(200);
    await first.stop();
    await using second = await startDaemon(home, ['--host', '0.0.0.0']);
    expect(second.started.token).toBeUndefined();
    await second.stop();
    const { stdout, stderr } = await second.process.result;
    expect(stdout + stderr).not.toContain(token);
  });

  test('makes a token when its configuration asks for one from now on, and writes it nowhere else', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    await using daemon = await startDaemon(home);
    expect((await post(`${daemon.url}/plugins/puppet`, echo)).status).toBe(200);
    await writeConfig(home, { plugins: { puppet: PUPPET }, server: { auth: 'always' } });
    await overSocket(daemon.started.socket, 'POST', '/daemon/reload');
    expect((await post(`${daemon.url}/plugins/puppet`, echo)).status).toBe(401);
    const token = (await readFile(join(home.path, 'token'), 'utf8')).trim();
    expect((await post(`${daemon.url}/plugins/puppet`, echo, { authorization: `Bearer ${token}` })).status).toBe(200);
    await daemon.stop();
    const { stdout, stderr } = await daemon.process.result;
    expect(stdout).toContain(join(home.path, 'token'));
    expect(stdout + stderr).not.toContain(token);
  });

  test('outlives an upgrade to what is no address', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: {} });
    await using daemon = await startDaemon(home);
    const caller = connect(daemon.started.socket);
    caller.write('GET // HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: mcp-stdio\r\n\r\n');
    expect(await text(caller)).toContain(' 400 ');
    expect((await overSocket(daemon.started.socket, 'GET', '/daemon')).status).toBe(200);
  });

  test('lives in a home whose path is too long for a socket', async () => {
    await using home = await createHome();
    const long = join(home.root, 'x'.repeat(120));
    const env = { MCP_SUPERVISOR_HOME: long };
    await mkdir(long, { mode: 0o700 });
    await writeFile(join(long, 'config.yaml'), JSON.stringify({ plugins: { puppet: PUPPET } }));
    await using daemon = await startDaemon(home, [], { env });
    expect(daemon.started.socket.length).toBeLessThan(104);
    const called = await runCli(home, ['call', 'puppet', 'echo', 'message=hello'], { env });
    expect(called, called.stderr).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    expect(await readText(join(long, 'daemon.path'))).toBe(`${daemon.started.socket}\n`);
    await daemon.stop();
    expect(existsSync(daemon.started.socket)).toBe(false);
  });
});

describe('the configuration file', { timeout: 120_000 }, () => {
  const names = async (home: TestHome) =>
    ((await json(home, 'list')).plugins as { name: string }[]).map(({ name }) => name).sort();
  const eventually = async (look: () => Promise<boolean>) => {
    while (!(await look())) await sleep(50);
  };

  test('counts as soon as it is saved, and touches only what changed', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { kept: PUPPET, gone: PUPPET } });
    await using daemon = await startDaemon(home);
    const before = await post(`${daemon.url}/plugins/kept`, { tool: 'pid' });
    await writeConfig(home, { plugins: { kept: { source: PUPPET, idleStop: '1h' }, fresh: PUPPET } });
    await eventually(async () => (await names(home)).join() === 'fresh,kept');
    expect(await post(`${daemon.url}/plugins/kept`, { tool: 'pid' })).toEqual(before);
    expect((await post(`${daemon.url}/plugins/gone`, echo)).status).toBe(404);
  });

  test('that is bad changes nothing, and status says what is wrong', async () => {
    await using home = await createHome();
    const path = await writeConfig(home, { plugins: { a: PUPPET } });
    await using daemon = await startDaemon(home);
    const problem = async () => (await json(home, 'serve', '--status')).problem;
    await writeConfig(home, 'plugins:\n  a: { sorce: x }\n');
    await eventually(async () => (await problem()) !== null);
    expect(await problem()).toContain(`${path}:2: plugins.a.sorce: unknown option 'sorce'`);
    await daemon.process.said(/unknown option 'sorce'[\s\S]*the last good configuration counts/);
    expect(await names(home)).toEqual(['a']);
    await writeConfig(home, '');
    await eventually(async () => (await problem())?.toString().includes('empty') === true);
    expect(await names(home), 'perhaps it is just being written').toEqual(['a']);
    await writeConfig(home, { plugins: { a: PUPPET, b: PUPPET } });
    await eventually(async () => (await problem()) === null);
    expect(await names(home)).toEqual(['a', 'b']);
  });

  test('is read again on SIGHUP, and the daemon lives on', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { a: PUPPET } });
    await using daemon = await startDaemon(home);
    daemon.process.child.kill('SIGHUP');
    await daemon.process.said(/no plugin changed/);
    expect(await names(home)).toEqual(['a']);
  });

  test('that is bad at first is an error that names file, line and key', async () => {
    await using home = await createHome();
    await writeConfig(home, 'server:\n  prot: 1\n');
    const { exitCode, stderr } = await runCli(home, ['serve', '--port', '0']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/config\.yaml:2: server\.prot: unknown key 'prot'/);
    await expectNothingLeft(home);
  });

  test('may be named, and then it has to be there', async () => {
    await using home = await createHome();
    expect(await fails(home, 'serve', '--port', '0', '--config', 'none.yaml')).toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await writeFile(
      join(home.root, 'mine.json'),
      JSON.stringify({ mcpServers: { a: { command: 'node', args: ['x'] } } }),
    );
    await using _daemon = await startDaemon(home, ['--config', 'mine.json']);
    expect(await names(home)).toEqual(['a']);
  });
});

describe('commands on named plugins', { timeout: 120_000 }, () => {
  test('are the daemon’s', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET, broken: '-- /nonexistent/program' } });
    await using _daemon = await startDaemon(home);

    expect(await json(home, 'start', 'puppet')).toMatchObject({ name: 'puppet', state: 'ready', generation: 1 });
    expect(await json(home, 'restart', 'puppet')).toMatchObject({ state: 'ready', generation: 2 });
    expect(await json(home, 'wait', 'puppet', '--timeout', '60')).toMatchObject({ name: 'puppet' });
    expect((await json(home, 'tools', 'puppet')).tools).toContainEqual(expect.objectContaining({ name: 'echo' }));
    expect(await json(home, 'call', 'puppet.echo', 'message=hello')).toEqual(HELLO);
    expect(await json(home, 'call', 'puppet', '{"method": "ping"}')).toEqual({});
    const { history } = await json(home, 'history', 'puppet');
    expect((history as { state: string }[]).map(({ state }) => state)).toContain('ready');
    const logs = await runCli(home, ['logs', 'puppet', '--json', '-n', '1']);
    expect(JSON.parse(logs.stdout)).toMatchObject({ stream: 'state' });

    expect(await fails(home, 'start', 'broken')).toMatchObject({ exitCode: 3, code: 'LAUNCH_SPAWN' });
    expect(await fails(home, 'wait', 'broken')).toMatchObject({ exitCode: 3, code: 'LAUNCH_SPAWN' });
    expect(await fails(home, 'call', 'puppet', 'ecko')).toMatchObject({ exitCode: 2, code: 'CALL_UNKNOWN_TOOL' });
    expect(await fails(home, 'stop', 'nobody')).toMatchObject({ exitCode: 2, code: 'CONFIG_UNKNOWN_PLUGIN' });
    expect(await fails(home, 'call', 'puppet', 'echo', '--env', 'A=1')).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await json(home, 'reset', 'broken')).toMatchObject({ state: 'absent' });
    expect(await json(home, 'stop', 'puppet')).toMatchObject({ state: 'absent', pid: null });
    expect(await fails(home, 'call', 'puppet', 'echo', 'message=x')).toMatchObject({ code: 'CALL_STOPPED' });
    expect(await fails(home, 'wait', 'puppet', '--timeout', '0.2')).toMatchObject({ code: 'CALL_START_TIMEOUT' });
  });

  test('without a daemon look, and call by themselves, and say what is missing', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: { source: PUPPET, activation: 'eager' } } });
    expect(await json(home, 'list')).toMatchObject({ daemon: null, plugins: [{ name: 'puppet', state: 'absent' }] });
    expect(await json(home, 'call', 'puppet', 'echo', 'message=hello')).toEqual(HELLO);
    expect((await json(home, 'tools', 'puppet')).tools).toContainEqual(expect.objectContaining({ name: 'echo' }));
    for (const command of ['start', 'stop', 'restart', 'reset', 'wait', 'history'])
      expect(await fails(home, command, 'puppet')).toMatchObject({ exitCode: 2, code: 'HOME_NO_DAEMON' });
    expect((await runCli(home, ['logs', 'puppet'])).stdout).toContain('ready');
    expect(await fails(home, 'logs', 'nobody')).toMatchObject({ exitCode: 2, code: 'CONFIG_UNKNOWN_PLUGIN' });
    expect((await runCli(home, ['call', 'pupet', 'echo'])).stderr).toContain('Did you mean puppet?');
    await expectNothingLeft(home);
  });

  test('read a log on from its older files', async () => {
    await using home = await createHome();
    await mkdir(join(home.path, 'logs'), { recursive: true, mode: 0o700 });
    const lines = (from: number) =>
      [0, 1, 2].map((at) => `2026-01-01T00:00:0${from + at}.000Z stderr  line ${from + at}\n`).join('');
    await writeFile(join(home.path, 'logs', 'x.log'), lines(3));
    await writeFile(join(home.path, 'logs', 'x.log.1'), lines(0));
    const shown = async (...args: string[]) =>
      (await runCli(home, ['logs', 'x', ...args])).stdout.match(/line \d/g)?.join(' ') ?? '';
    expect(await shown('-n', '4')).toBe('line 2 line 3 line 4 line 5');
    expect(await shown()).toBe('line 0 line 1 line 2 line 3 line 4 line 5');
    expect(await shown('-n', '0')).toBe('');
  });

  test('follow a log while it grows', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { puppet: PUPPET } });
    await using daemon = await startDaemon(home);
    const following = startCli(home, ['logs', 'puppet', '-f']);
    await post(`${daemon.url}/plugins/puppet`, echo);
    await following.said(/state +ready/);
    await runCli(home, ['stop', 'puppet']);
    await following.said(/state +absent · generation 1/);
    following.child.kill('SIGINT');
    expect(await following.result).toMatchObject({ exitCode: 0 });
  });
});
