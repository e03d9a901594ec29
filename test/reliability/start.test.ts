/** Starting: what can go wrong between a first call and ready. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PluginOptions, Supervisor } from '../../src/options.ts';
import { tar } from '../support/archives.ts';
import { environmentsOf, type TestHome } from '../support/home.ts';
import { isAlive } from '../support/leftovers.ts';
import {
  createStage,
  eventually,
  failureOf,
  fixture,
  linesOf,
  logOf,
  program,
  puppet,
  statesOf,
  textOf,
} from './stage.ts';

/** Restarts follow each other at once. */
const quick = { minDelay: 1, maxDelay: 1 };
const once = { ...quick, maxFailedStarts: 1 };
const echo = { tool: 'echo', arguments: { message: 'hello' } };
const count = (supervisor: Supervisor, name: string, state: string) =>
  statesOf(supervisor, name).filter((each) => each === state).length;
/** What the supervisor has counted against a plugin. */
const crashesOf = ({ actor }: Supervisor, name: string) => actor.getSnapshot().context.plugins[name]?.history;
const uncounted = { failedStarts: 0, streak: 0, crashes: [], trials: 0 };

test('R1 exits before ready: each start is a crash with backoff, then the caller gets the last 20 lines of stderr', async () => {
  const dies = program(['sh', '-c', 'for n in $(seq 25); do echo "line $n" >&2; done; exit 3']);
  await using stage = await createStage({ plugins: { dies }, restartPolicy: { ...quick, maxFailedStarts: 3 } });
  const { supervisor } = stage;
  const error = await failureOf(supervisor.call('dies', echo));
  expect(error).toMatchObject({
    code: 'LAUNCH_EXITED',
    phase: 'launch',
    generation: 3,
    exit: { code: 3, signal: null },
    message: expect.stringContaining('exit code 3'),
  });
  expect(error.stderrTail).toEqual(Array.from({ length: 20 }, (_, at) => `line ${at + 6}`));
  expect(count(supervisor, 'dies', 'launching')).toBe(3);
  expect(count(supervisor, 'dies', 'ready')).toBe(0);
  expect(supervisor.status('dies')).toMatchObject({ state: 'crashed', subState: 'parked', generation: 3, pid: null });
});

describe('R2 a program that the system can not run', () => {
  /** Files of a folder in the test's home, the program among them. */
  async function folder(home: TestHome, name: string, content: string | Buffer, mode = 0o755): Promise<string> {
    const dir = join(home.root, name);
    await mkdir(dir);
    await writeFile(join(dir, 'server'), content);
    await chmod(join(dir, 'server'), mode);
    return dir;
  }
  const foreign = Buffer.alloc(3000);
  foreign.write('\x7fELF\x02\x01\x01', 'latin1');
  // No machine of that number was ever built.
  foreign.writeUInt16LE(0xfee1, 18);
  const script = '#!/bin/sh\necho never\n';

  test.each([
    ['ENOENT: its interpreter is missing', '#!/no/such/interpreter\n', 0o755, 'ENOENT', /interpreter/],
    ['EACCES: it may not be executed', script, 0o644, 'EACCES', /not executable/],
    ['ENOEXEC: it is made for another machine', foreign, 0o755, 'ENOEXEC', /not a program for this machine/],
    ['ENOEXEC: it is garbage', Buffer.from('\x01\x02\x00touch here\n'), 0o755, 'ENOEXEC', /not a program/],
  ])('R2 %s: parked at once, tried exactly once', async (_, content, mode, code, message) => {
    await using stage = await createStage({ restartPolicy: quick });
    const { supervisor, home } = stage;
    const source = await folder(home, 'source', content, mode);
    supervisor.add('broken', { source, command: ['./server'], install: [], build: [] });
    const error = await failureOf(supervisor.call('broken', echo));
    expect(error).toMatchObject({ code: 'LAUNCH_SPAWN', generation: 1, retryable: false, data: { error: code } });
    expect(error.message).toMatch(message);
    expectParkedForGood(supervisor, 'broken');
    // Nothing of it was run, not by a shell either.
    expect(supervisor.logs('broken').filter(({ stream }) => stream !== 'clone')).toEqual([]);
    await expect(failureOf(supervisor.call('broken', echo))).resolves.toMatchObject({ code: 'LAUNCH_SPAWN' });
    expect(count(supervisor, 'broken', 'launching')).toBe(1);
  });

  test('R2 ENOENT: it is not there any more: parked at once, tried exactly once', async () => {
    await using stage = await createStage({ restartPolicy: quick });
    const { supervisor, home } = stage;
    supervisor.add('gone', `-- ${join(home.root, 'gone', 'server')} --flag`);
    const error = await failureOf(supervisor.call('gone', echo));
    expect(error).toMatchObject({ code: 'LAUNCH_SPAWN', data: { error: 'ENOENT' } });
    expectParkedForGood(supervisor, 'gone');
  });

  test('R2 a script without a first line that names its interpreter still runs, as from a shell', async () => {
    await using stage = await createStage({ restartPolicy: once });
    const { supervisor, home } = stage;
    const source = await folder(home, 'source', 'echo it ran >&2\nexit 4\n');
    supervisor.add('plain', { source, command: ['./server'], install: [], build: [] });
    const error = await failureOf(supervisor.call('plain', echo));
    expect(error).toMatchObject({ code: 'LAUNCH_EXITED', exit: { code: 4 }, stderrTail: ['it ran'] });
  });
});

function expectParkedForGood(supervisor: Supervisor, name: string) {
  expect(supervisor.status(name)).toMatchObject({ state: 'crashed', subState: 'parked', retryAt: null, generation: 1 });
  expect(count(supervisor, name, 'launching')).toBe(1);
  expect(count(supervisor, name, 'crashed')).toBe(1);
}

test('R3 a required variable is missing: LAUNCH_NEEDS_SETTING names it, and the plugin is parked', async () => {
  const needs: PluginOptions = { source: fixture('plugins/needs-setting') };
  await using stage = await createStage({ plugins: { needs }, restartPolicy: quick });
  const { supervisor } = stage;
  const error = await failureOf(supervisor.call('needs', { tool: 'key-length' }));
  expect(error).toMatchObject({ code: 'LAUNCH_NEEDS_SETTING', exit: { code: 1 } });
  expect(`${error.message} ${error.hint} ${JSON.stringify(error.data)}`).toContain('API_KEY');
  expect(error.stderrTail.join('\n')).toContain('API_KEY');
  expectParkedForGood(supervisor, 'needs');
  // With the setting it is well: nothing else was wrong.
  await supervisor.configure({ needs: { ...needs, env: { API_KEY: 'four' } } });
  await supervisor.reset('needs');
  expect(textOf(await supervisor.call('needs', { tool: 'key-length' }))).toBe('4');
});

test('R4 silent for ever: its start deadline ends it, with everything that it started', async () => {
  const script =
    'echo "pid $$"; (trap "" TERM; echo "pid $(sh -c \'echo $PPID\')"; while :; do sleep 1; done) & sleep 600';
  await using stage = await createStage({
    plugins: { silent: program(['sh', '-c', script], { timeouts: { start: 2_000 } }) },
    restartPolicy: once,
    timing: { terminate: 100 },
  });
  const { supervisor } = stage;
  const error = await failureOf(supervisor.call('silent', echo));
  expect(error).toMatchObject({ code: 'PROBE_TIMEOUT', phase: 'probe', generation: 1 });
  const pids = supervisor.logs('silent').flatMap(({ text }) => /^pid (\d+)$/.exec(text)?.[1] ?? []);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(await isAlive(Number(pid))).toBe(false);
  expect(statesOf(supervisor, 'silent').slice(-4)).toEqual(['launching', 'probing', 'stopping', 'crashed']);
});

test('R5 slow to start: it is asked once, and is ready when it is ready', async () => {
  await using stage = await createStage({ restartPolicy: once });
  const { supervisor, home } = stage;
  const log = logOf(home);
  supervisor.add('slow', puppet('slow:2000', { env: { PUPPET_LOG: log, PUPPET_LOG_METHODS: '1' } }));
  const answers = await Promise.all([supervisor.call('slow', echo), supervisor.start('slow')]);
  expect(textOf(answers[0])).toBe('hello');
  const asked = (await linesOf(log)).filter((line) => line.startsWith('method '));
  expect(asked.slice(0, 3)).toEqual(['method initialize', 'method notifications/initialized', 'method tools/list']);
  expect(asked.filter((line) => line === 'method initialize')).toHaveLength(1);
  expect(crashesOf(supervisor, 'slow')).toMatchObject(uncounted);
});

test('R5 slow to be well over HTTP: asked again and again, never twice at once', async () => {
  // Its health path is the manifest's to name; without one any answer would do.
  const slow = { source: fixture('plugins/slow-health') };
  await using stage = await createStage({ plugins: { slow }, restartPolicy: once });
  const { supervisor } = stage;
  await supervisor.start('slow');
  const printed = supervisor.logs('slow').map(({ text }) => text);
  expect(printed.filter((text) => text.startsWith('overlap'))).toEqual([]);
  expect(printed.filter((text) => text.startsWith('asked')).length).toBeGreaterThan(0);
});

test('R6 one byte of an answer at a time: the start deadline counts all the same', async () => {
  await using stage = await createStage({
    plugins: { loris: puppet('slow-loris', { timeouts: { start: 2_000 } }) },
    restartPolicy: once,
  });
  const error = await failureOf(stage.supervisor.call('loris', echo));
  expect(error).toMatchObject({ code: 'PROBE_TIMEOUT', generation: 1 });
  expect(stage.supervisor.status('loris')).toMatchObject({ state: 'crashed', subState: 'parked', pid: null });
});

test('R8 100 first calls at once: one spawn, all served, in the order of asking; the 101st is refused', async () => {
  await using stage = await createStage();
  const { supervisor, home } = stage;
  const log = logOf(home);
  supervisor.add('p', puppet('', { env: { PUPPET_LOG: log } }));
  const served: number[] = [];
  const ask = async (at: number) => {
    const answer = textOf(await supervisor.call('p', { tool: 'echo', arguments: { message: String(at) } }));
    served.push(at);
    return answer;
  };
  const calls = Array.from({ length: 100 }, (_, at) => ask(at));
  const refused = await failureOf(ask(100));
  expect(refused).toMatchObject({ code: 'CALL_QUEUE_FULL', retryable: true });
  const numbers = Array.from({ length: 100 }, (_, at) => at);
  expect(await Promise.all(calls)).toEqual(numbers.map(String));
  expect(served).toEqual(numbers);
  expect((await linesOf(log)).filter((line) => line.startsWith('start '))).toHaveLength(1);
  expect(supervisor.status('p').generation).toBe(1);
});

describe('R9 a start joins the one that is under way', () => {
  test('R9 while it installs: its install runs once', async () => {
    await using stage = await createStage();
    const { supervisor, home } = stage;
    const [mark, gate] = [join(home.root, 'mark'), join(home.root, 'gate')];
    const install = ['sh', '-c', `echo installed >> ${mark}; while [ ! -e ${gate} ]; do sleep 0.02; done`];
    supervisor.add('p', puppet('', { install: [install] }));
    const first = supervisor.call('p', echo);
    await eventually(async () => (await linesOf(mark)).length > 0);
    const others = [supervisor.start('p'), supervisor.call('p', echo), supervisor.start('p'), supervisor.tools('p')];
    expect(supervisor.status('p')).toMatchObject({ state: 'installing', held: 5 });
    await writeFile(gate, '');
    expect(textOf(await first)).toBe('hello');
    await Promise.all(others);
    expect(await linesOf(mark)).toEqual(['installed']);
    expect(await environmentsOf(home)).toHaveLength(1);
    for (const state of ['cloning', 'detecting', 'installing', 'launching'])
      expect(count(supervisor, 'p', state)).toBe(1);
  });

  test('R9 while it is fetched: the archive is fetched once', async () => {
    await using stage = await createStage();
    const { supervisor } = stage;
    const bytes = packed();
    let asked = 0;
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const server = createServer(async (_, response) => {
      asked += 1;
      await opened;
      response.end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    supervisor.add('p', `http://127.0.0.1:${(server.address() as AddressInfo).port}/plugin.tar.gz`);
    const calls = [supervisor.start('p')];
    await eventually(() => asked > 0);
    calls.push(supervisor.start('p'), supervisor.start('p'));
    expect(supervisor.status('p')).toMatchObject({ state: 'cloning' });
    open();
    expect((await Promise.all(calls)).map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    expect(asked).toBe(1);
    expect(count(supervisor, 'p', 'cloning')).toBe(1);
    server.close();
  });
});

/** A plugin of one file that prints `text` and then serves. */
const packed = (note = ''): Buffer =>
  tar(
    [
      { path: 'plugin/package.json', text: '{"name":"packed","version":"1.0.0","bin":"server.mjs","type":"module"}' },
      {
        path: 'plugin/server.mjs',
        text: `${note}
import { createInterface } from 'node:readline';
const answers = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'packed', version: '1' } },
  'tools/list': { tools: [{ name: 'one', inputSchema: { type: 'object' } }] },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method] ?? {} }));
});`,
      },
    ],
    { gzip: true },
  );

/**
 * A host that pins the checksum of a program has it compared before every exec (go-plugin's SecureConfig). Here the pin is
 * the source's: an archive's `sha256=…`, a commit, whose content git itself checks. What was made of it lies in the home,
 * which belongs to the user alone. A checksum kept beside it would protect nothing: whoever can replace the entry can
 * replace the checksum too. So the pin is checked whenever the source is read, and nobody else gets at the home.
 */
describe('R10 what runs is what was pinned', () => {
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  test('R10 an archive of another checksum is refused before anything of it is unpacked or run', async () => {
    await using stage = await createStage();
    const { supervisor, home } = stage;
    const file = join(home.root, 'plugin.tar.gz');
    const mark = join(home.root, 'ran');
    await writeFile(file, packed(`import { writeFileSync } from 'node:fs'; writeFileSync('${mark}', 'ran');`));
    supervisor.add('p', { source: file, ref: `sha256=${sha256(packed())}` });
    const error = await failureOf(supervisor.start('p'));
    expect(error).toMatchObject({ code: 'CLONE_CHECKSUM', retryable: false });
    expect(statesOf(supervisor, 'p')).not.toContain('detecting');
    expect(await linesOf(mark)).toEqual([]);
    expect(await environmentsOf(home)).toEqual([]);
  });

  test('R10 an archive that was replaced after it had run is refused at the next start', async () => {
    await using stage = await createStage();
    const { supervisor, home } = stage;
    const file = join(home.root, 'plugin.tar.gz');
    const mark = join(home.root, 'ran');
    await writeFile(file, packed());
    supervisor.add('p', { source: file, ref: `sha256=${sha256(packed())}` });
    await supervisor.start('p');
    await supervisor.stop('p');
    await writeFile(file, packed(`import { writeFileSync } from 'node:fs'; writeFileSync('${mark}', 'ran');`));
    const error = await failureOf(supervisor.start('p'));
    expect(error).toMatchObject({ code: 'CLONE_CHECKSUM' });
    expect(count(supervisor, 'p', 'launching')).toBe(1);
    expect(await linesOf(mark)).toEqual([]);
  });

  test('R10 nobody else gets at what was installed: a home that is open to others is closed before it is used', async () => {
    await using stage = await createStage({ plugins: { p: puppet() } });
    const { supervisor, home } = stage;
    await mkdir(home.path, { mode: 0o777 });
    await chmod(home.path, 0o777);
    await supervisor.start('p');
    const mode = execFileSync('ls', ['-ld', home.path], { encoding: 'utf8' }).slice(0, 10);
    expect(mode).toBe('drwx------');
  });

  test('R10 an entry that is gone from its environment is a typed failure, and made anew once the rest is gone too', async () => {
    await using stage = await createStage({ plugins: { p: puppet() }, restartPolicy: once });
    const { supervisor, home } = stage;
    await supervisor.start('p');
    await supervisor.stop('p');
    const [environment = ''] = await environmentsOf(home);
    const tree = join(home.path, 'envs', environment, 'tree');
    await rm(join(tree, 'server.js'));
    const error = await failureOf(supervisor.start('p'));
    expect(error).toMatchObject({ code: 'LAUNCH_EXITED', generation: 2 });
    expect(error.message + error.stderrTail.join('\n')).toContain('server.js');
    await rm(dirname(tree), { recursive: true });
    await expect(supervisor.start('p')).resolves.toMatchObject({ state: 'ready', generation: 3 });
    expect(count(supervisor, 'p', 'installing')).toBe(2);
  });
});

test('R11 a banner before the first message: ready, the banner is in the log, nothing is counted', async () => {
  await using stage = await createStage({ plugins: { loud: puppet('banner') } });
  const { supervisor } = stage;
  expect(textOf(await supervisor.call('loud', echo))).toBe('hello');
  const printed = supervisor.logs('loud').map(({ text }) => text);
  expect(printed).toEqual(expect.arrayContaining(['Welcome!', 'Server running on stdio', '> fixture@1.0.0 start']));
  expect(supervisor.status('loud').generation).toBe(1);
  expect(crashesOf(supervisor, 'loud')).toMatchObject(uncounted);
});

describe('R12 eras are found out without a crash', () => {
  test('R12 a legacy server that ends on whatever it does not know is ready by `initialize`, at its first start', async () => {
    const legacy = program(['node', 'mcp/exits-on-strange.mjs']);
    await using stage = await createStage({ plugins: { legacy } });
    const { supervisor } = stage;
    expect(textOf(await supervisor.call('legacy', echo))).toBe('still here');
    expect(supervisor.status('legacy')).toMatchObject({ generation: 1, failure: null });
    expect(statesOf(supervisor, 'legacy')).not.toContain('crashed');
    expect(crashesOf(supervisor, 'legacy')).toMatchObject(uncounted);
  });

  test('R12 a modern server that ends after a frame of the other era is started again, which is no crash', async () => {
    const modern = program(['node', 'mcp/modern.mjs', 'locked']);
    await using stage = await createStage({ plugins: { modern } });
    const { supervisor } = stage;
    await supervisor.start('modern');
    expect(supervisor.status('modern')).toMatchObject({ generation: 2, failure: null });
    expect(statesOf(supervisor, 'modern')).not.toContain('crashed');
    expect(crashesOf(supervisor, 'modern')).toMatchObject(uncounted);
    // The era is known from then on.
    await supervisor.restart('modern');
    expect(supervisor.status('modern').generation).toBe(3);
  });
});
