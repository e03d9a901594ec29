/** Limits, another user and the sandbox, around real plugins: what is broken is named, and nothing of it is left. */

import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findCgroup } from '../../actors/confinement/cgroup.ts';
import type { Failure } from '../../machines/failure.ts';
import type { PluginOptions, SupervisorOptions } from '../../src/options.ts';
import { needsBubblewrap, needsRoot } from '../support/sandbox.ts';
import { createStage, eventually, failureOf, linesOf, program, puppet, type Stage, statesOf, textOf } from './stage.ts';

const MiB = 1024 * 1024;
/** Long enough never to expire here. */
const PATIENT = 60_000;

const call = async ({ supervisor }: Stage, tool: string, given: Record<string, unknown> = {}) =>
  textOf(await supervisor.call('p', { tool, arguments: given }));

/** A puppet `p` in service under these options, and what it crashed of so far. */
async function running(plugin: Partial<PluginOptions>, mode = '', options: SupervisorOptions = {}) {
  const stage = await createStage(options);
  const crashes: Failure[] = [];
  stage.supervisor.on('plugin:crashed', ({ failure }) => failure && crashes.push(failure));
  stage.supervisor.add('p', puppet(mode, plugin));
  const { pid } = await stage.supervisor.start('p');
  return { stage, crashes, pid: pid! };
}

describe('limits', () => {
  test('R21 takes more memory than it may: it is ended, named for it, and started again', async () => {
    const { stage, crashes } = await running({ limits: { memory: '192M' } });
    await using _ = stage;
    // It may be met on its way.
    await call(stage, 'hog', { bytes: 256 * MiB }).catch(() => {});
    const failure = await eventually(() => crashes[0]);
    expect(failure).toMatchObject({ code: 'RUN_LIMIT', generation: 1, data: { limit: 'memory', allowed: 192 * MiB } });
    expect(failure.data.used).toBeGreaterThan(192 * MiB);
    expect(failure.message).toMatch(/took \d+ MiB of memory; its limit is 192 MiB/);
    await stage.supervisor.waitFor('p', 'ready');
    expect(stage.supervisor.status('p').generation).toBe(2);
    expect(await call(stage, 'echo', { message: 'again' })).toBe('again');
    expect(crashes).toHaveLength(1);
  });

  test('a plugin within its limits is left alone', async () => {
    const { stage, crashes } = await running({
      limits: { memory: '2G', processes: 10, cpuTime: 1000, files: 200 },
    });
    await using _ = stage;
    await call(stage, 'child', { escaped: true });
    // Longer than two looks.
    await call(stage, 'slow', { ms: 2200 });
    expect(await call(stage, 'files', { count: 100 })).toBe('100');
    expect(crashes).toEqual([]);
    expect(stage.supervisor.status('p')).toMatchObject({ state: 'ready', generation: 1 });
  });

  test('forks more than it may, half of it out of its group: all of it is ended', async () => {
    const { stage, crashes } = await running({ limits: { processes: 20 } });
    await using _ = stage;
    const forks = Array.from({ length: 50 }, (_, at) =>
      call(stage, 'child', { escaped: at % 2 === 0, stubborn: true }),
    );
    await Promise.allSettled(forks);
    const failure = await eventually(() => crashes[0]);
    expect(failure).toMatchObject({ code: 'RUN_LIMIT', data: { limit: 'processes', allowed: 20 } });
    expect(failure.data.used).toBeGreaterThan(20);
  });

  test('R21 computes longer than it may: the signal is named as the limit', async () => {
    const { stage, crashes } = await running({ limits: { cpuTime: 1 } });
    await using _ = stage;
    expect(await failureOf(call(stage, 'spin'))).toMatchObject({
      code: expect.stringMatching(/^(RUN_LIMIT|CALL_INTERRUPTED)$/),
    });
    expect(await eventually(() => crashes[0])).toMatchObject({
      code: 'RUN_LIMIT',
      data: { limit: 'cpuTime', allowed: 1 },
      exit: { code: null, signal: 'SIGXCPU' },
    });
  });

  test('opens more files than it may: what it died of is named as the limit', async () => {
    const { stage, crashes } = await running({ limits: { files: 64 } });
    await using _ = stage;
    await failureOf(call(stage, 'files', { count: 100 }));
    const failure = await eventually(() => crashes[0]);
    expect(failure).toMatchObject({ code: 'RUN_LIMIT', data: { limit: 'files', allowed: 64 } });
    expect(failure.stderrTail.join('\n')).toContain('EMFILE');
  });

  test('a share of the cores that nothing can keep is refused before anything starts', async ({ skip }) => {
    skip(findCgroup(['cpu']) !== null, 'cgroups are delegated here');
    await using stage = await createStage({ plugins: { p: puppet('', { limits: { cpu: 0.5 } }) } });
    expect(await failureOf(stage.supervisor.start('p'))).toMatchObject({
      code: 'CONFIG_LIMIT',
      data: { limit: 'cpu' },
    });
    expect(stage.supervisor.status('p')).toMatchObject({ state: 'crashed', subState: 'parked', pid: null });
  });

  test('another limit makes nothing stale', async () => {
    const { stage } = await running({});
    await using _ = stage;
    await stage.supervisor.remove('p');
    stage.supervisor.add('p', puppet('', { limits: { files: 100 }, envPolicy: ['MINE'] }));
    await stage.supervisor.start('p');
    expect(statesOf(stage.supervisor, 'p').filter((state) => /ing$/.test(state))).toEqual(['launching', 'probing']);
  });

  test('a program that is not there is said to be so, not what the shell around it says', async () => {
    const limits = { files: 100 };
    await using stage = await createStage({ plugins: { p: program(['no-such-program'], { limits }) } });
    const { code, message } = await failureOf(stage.supervisor.start('p'));
    expect({ code, message }).toEqual({
      code: 'LAUNCH_SPAWN',
      message: 'program not found on the PATH: no-such-program',
    });
  });
});

test('a list of names adds them to the minimal environment, and nothing else', async () => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, MINE_A: '1', MINE_B: '2', OTHER: '3', MINE: '4' };
  const { stage } = await running({ envPolicy: ['MINE_*'] }, '', { env });
  await using _ = stage;
  const got = JSON.parse(await call(stage, 'environment'));
  expect(got).toMatchObject({ MINE_A: '1', MINE_B: '2', PATH: expect.any(String) });
  expect(got).not.toHaveProperty('OTHER');
  expect(got).not.toHaveProperty('MINE');
});

describe('another user', () => {
  needsRoot();

  test('a home that the user may not enter is named, and the way out', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { user: 'nobody' }) } });
    const { code, message, hint } = await failureOf(stage.supervisor.start('p'));
    expect(code).toBe('CONFIG_USER');
    expect(message).toContain(`'nobody' can't enter ${stage.home.path}`);
    expect(hint).toContain('sandbox');
  });

  test('a user that there is not is refused', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { user: 'no-such-user' }) } });
    expect(await failureOf(stage.supervisor.start('p'))).toMatchObject({ code: 'CONFIG_USER' });
  });

  test('a command runs as that user, with no group of ours, and ends with its group', async () => {
    const source = `-- ${process.execPath} -e "console.error('ids', process.getuid(), process.getgid(), process.getgroups().join(), process.env.HOME); setInterval(() => {}, 1000)"`;
    await using stage = await createStage({ plugins: { p: { source, user: '65534:65533' } } });
    const { supervisor } = stage;
    const lost = failureOf(supervisor.start('p'));
    const line = await eventually(() => supervisor.logs('p').find(({ text }) => text.startsWith('ids')));
    expect(line.text).toMatch(/^ids 65534 65533 65533 \//);
    await supervisor.stop('p');
    await lost;
    expect(supervisor.status('p').pid).toBeNull();
  });
});

describe('the sandbox', () => {
  needsBubblewrap();
  const sandbox = true;

  test('it writes to its data folder and to a /tmp of its own, and nowhere else', async () => {
    const { stage } = await running({ sandbox });
    await using _ = stage;
    const { HOME, TMPDIR } = JSON.parse(await call(stage, 'environment'));
    expect({ HOME, TMPDIR }).toEqual({ HOME: join(stage.home.path, 'data', 'p'), TMPDIR: '/tmp' });
    for (const folder of ['/usr', '/etc', '/run', '/root', '/home', '/proc', '.']) {
      expect(await call(stage, 'write', { path: `${folder}/mcps-witness` }), folder).not.toBe('written');
    }
    expect(await call(stage, 'write', { path: '/tmp/mcps-witness' })).toBe('written');
    expect(await call(stage, 'write', { path: `${HOME}/witness` })).toBe('written');
    expect(await readFile(join(HOME, 'witness'), 'utf8')).toBe('x');
    await expect(readFile('/tmp/mcps-witness')).rejects.toThrow('ENOENT');
  });

  test('it sees no home, no other plugin and no process but its own', async () => {
    const { stage } = await running({ sandbox });
    await using _ = stage;
    expect(await call(stage, 'list', { path: '/root' })).toBe('');
    expect(await call(stage, 'list', { path: join(stage.home.path, 'plugins') })).toBe('ENOENT');
    expect(await call(stage, 'list', { path: join(stage.home.path, 'data') })).toBe('p');
    expect((await call(stage, 'list', { path: '/proc' })).split(' ').filter(Number).length).toBeLessThan(10);
  });

  test('it sees what it is given, as it is given', async () => {
    await using stage = await createStage();
    const [readable, writable] = [join(stage.home.root, 'readable'), join(stage.home.root, 'writable')];
    await Promise.all([mkdir(readable), mkdir(writable)]);
    stage.supervisor.add('p', puppet('', { sandbox: { read: [readable], write: [writable] } }));
    expect(await call(stage, 'list', { path: readable })).toBe('');
    expect(await call(stage, 'write', { path: join(readable, 'x') })).toBe('EROFS');
    expect(await call(stage, 'write', { path: join(writable, 'x') })).toBe('written');
    expect(await readFile(join(writable, 'x'), 'utf8')).toBe('x');
  });

  test('a command of the user runs where they are, and not where that is hidden', async () => {
    await using stage = await createStage();
    const work = join(stage.home.root, 'work');
    await mkdir(work);
    const from = process.cwd();
    onTestFinished(() => process.chdir(from));
    const runIn = (folder: string, name: string) => {
      process.chdir(folder);
      stage.supervisor.add(name, { source: `-- ${process.execPath} -e "console.error('in', process.cwd())"`, sandbox });
      return failureOf(stage.supervisor.start(name));
    };
    expect((await runIn(work, 'shown')).stderrTail).toContain(`in ${work}`);
    expect(await runIn('/tmp', 'hidden')).toMatchObject({ code: 'CONFIG_SANDBOX' });
  });

  test('a path to be shown that there is not is refused', async () => {
    await using stage = await createStage({ plugins: { p: puppet('', { sandbox: { read: ['/no/such/folder'] } }) } });
    expect(await failureOf(stage.supervisor.start('p'))).toMatchObject({
      code: 'CONFIG_SANDBOX',
      message: expect.stringContaining('/no/such/folder'),
    });
  });

  test.each([
    { network: 'on', answer: 'connected' },
    { network: 'off', answer: 'ECONNREFUSED' },
  ] as const)('with the network $network a port of this machine answers: $answer', async ({ network, answer }) => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    const { stage } = await running({ sandbox: { network } });
    await using _ = stage;
    const { port } = server.address() as { port: number };
    expect(await call(stage, 'connect', { port })).toBe(answer);
  });

  test('a plugin on a TCP port is reached through it, and refused without a network', async () => {
    const http = (network: 'on' | 'off') =>
      program(['node', 'mcp/http.mjs'], { transport: 'streamable-http', sandbox: { network } });
    await using stage = await createStage({ plugins: { open: http('on'), shut: http('off') } });
    expect(await stage.supervisor.start('open')).toMatchObject({ state: 'ready', transport: 'streamable-http' });
    expect(await failureOf(stage.supervisor.start('shut'))).toMatchObject({ code: 'CONFIG_SANDBOX_NETWORK' });
    expect(stage.supervisor.status('shut')).toMatchObject({ state: 'crashed', subState: 'parked' });
  });

  test('a plugin on a Unix socket needs no network', async () => {
    const source = join(import.meta.dirname, '../../fixtures/plugins/node-unix-socket');
    await using stage = await createStage({ plugins: { p: { source, sandbox: { network: 'off' } } } });
    expect(await stage.supervisor.start('p')).toMatchObject({ state: 'ready' });
  });

  /** A sandboxed puppet, and the file in which it notes what it is told. */
  async function noting(mode: string, timing: NonNullable<SupervisorOptions['timing']>) {
    const stage = await createStage({ timing });
    const seen = join(stage.home.root, 'seen');
    await mkdir(seen);
    const log = join(seen, 'log');
    stage.supervisor.add('p', puppet(mode, { sandbox: { write: [seen] }, env: { PUPPET_LOG: log } }));
    await stage.supervisor.start('p');
    return { stage, log };
  }

  test('R22 exits at the end of its input, through the sandbox', async () => {
    const { stage, log } = await noting('', { inputClose: PATIENT });
    await using _ = stage;
    await stage.supervisor.stop('p');
    expect((await linesOf(log)).slice(1)).toEqual(['eof']);
  });

  test('R23 ignores the end of its input, honours TERM: it ends in its own time, through the sandbox', async () => {
    const { stage, log } = await noting('lingers', { inputClose: 50, terminate: PATIENT });
    await using _ = stage;
    await stage.supervisor.stop('p');
    expect((await linesOf(log)).slice(-2)).toEqual(['TERM', 'bye']);
    expect(stage.supervisor.status('p').state).toBe('absent');
  });

  test('R24 ignores TERM: KILL ends it, and what fled from its group, through the sandbox', async () => {
    const { stage, log } = await noting('stubborn', { inputClose: 50, terminate: 200 });
    await using _ = stage;
    await call(stage, 'child', { escaped: true, stubborn: true, stdout: true });
    await stage.supervisor.stop('p');
    expect(await linesOf(log)).toContain('TERM');
    expect(stage.supervisor.status('p').pid).toBeNull();
  });

  test('R21 the signal that ended it is told as if nothing stood around it', async () => {
    const { stage, crashes } = await running({ sandbox });
    await using _ = stage;
    await failureOf(call(stage, 'signal', { name: 'SIGKILL' }));
    expect(await eventually(() => crashes[0])).toMatchObject({
      code: 'RUN_EXITED',
      exit: { code: null, signal: 'SIGKILL' },
    });
  });

  test('R21 limits hold in it', async () => {
    const { stage, crashes } = await running({ sandbox, limits: { cpuTime: 1, memory: '1G' } });
    await using _ = stage;
    await failureOf(call(stage, 'spin'));
    expect(await eventually(() => crashes[0])).toMatchObject({ code: 'RUN_LIMIT', data: { limit: 'cpuTime' } });
  });

  describe('with another user', () => {
    needsRoot();

    test('it is that user, whose HOME is the data folder', async () => {
      const { stage } = await running({ sandbox, user: 'nobody', limits: { files: 100 } });
      await using _ = stage;
      expect(await call(stage, 'ids')).toMatch(/^65534 65534( 65534)?$/);
      const { HOME } = JSON.parse(await call(stage, 'environment'));
      expect(await call(stage, 'write', { path: `${HOME}/witness` })).toBe('written');
      expect(await call(stage, 'write', { path: '/tmp/witness' })).toBe('written');
      await stage.supervisor.stop('p');
      expect(stage.supervisor.status('p').pid).toBeNull();
    });
  });
});
