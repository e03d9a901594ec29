import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Instance } from '../../actors/context.ts';
import { isInstalled } from '../../actors/install/marker.ts';
import type { Rung } from '../../launchers/plan.ts';
import { environmentsOf } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { command, createHarness, done, failed, type Harness, sh, starts, text } from './install-harness.ts';

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
});

afterEach(() => harness[Symbol.asyncDispose]());

const rung = (id: string, line: string, cures: Rung['cures'] = 'any'): Rung => ({ id, steps: [sh(line)], cures });

const server = { 'server.js': '' };
const start = [starts('server.js')];

describe('an environment', () => {
  it('is a copy of the checkout, in which the install ran', async () => {
    const dir = await harness.checkout({ ...server, 'src/a.js': 'a' });
    const environment = await done(harness.install(dir, { install: [rung('only', 'echo made > made')], start }));
    expect(environment.rung).toBe('only');
    expect(await text(join(environment.dir, 'made'))).toBe('made\n');
    expect(await text(join(environment.dir, 'src/a.js'))).toBe('a');
    expect((await readdir(dir)).sort(), 'nothing is written to a checkout').toEqual(['server.js', 'src']);
    expect((await harness.context.store.readFacts('p')).environment).toEqual(environment);
    expect(await isInstalled(environment)).toBe(true);
  });

  it('that is unchanged is not installed again: no step runs', async () => {
    const dir = await harness.checkout(server);
    const plan = { install: [rung('only', 'echo ran')], build: [sh('echo built')], start };
    const first = await done(harness.install(dir, plan));
    expect(await done(harness.install(dir, plan))).toEqual(first);
    expect(harness.output).toEqual(['ran']);
  });

  it('is made once when ten supervisors ask for it at the same time', async () => {
    const dir = await harness.checkout(server);
    const plan = { install: [rung('only', 'echo ran; sleep 0.2')], start };
    const all = Array.from({ length: 10 }, () => harness.another());
    const made = await Promise.all(all.map((each) => done(each.install(dir, plan))));
    expect(new Set(made.map(({ key }) => key)).size).toBe(1);
    expect(all.flatMap(({ output }) => output)).toEqual(['ran']);
  });

  it('is made anew for another commit, other steps, or dependencies as of the commit', async () => {
    const dir = await harness.checkout(server);
    const plan = { install: [rung('only', 'true')], start };
    const checkout = { dir, commit: 'c2', committedAt: '2025-01-01T00:00:00Z' };
    const made = [
      await done(harness.install(dir, plan)),
      await done(harness.install(dir, plan, { checkout })),
      await done(harness.install(dir, { ...plan, install: [rung('other', 'true')] })),
      await done(harness.install(dir, plan, { checkout, dependencies: 'as-of-commit' })),
    ];
    expect(new Set(made.map(({ key }) => key)).size).toBe(4);
  });

  it('that is half-made, because its supervisor was killed, is made anew', async () => {
    const dir = await harness.checkout(server);
    const plan = { install: [rung('only', 'test ! -e leftover && echo ran')], start };
    const environment = await done(harness.install(dir, plan));
    await rm(join(dirname(environment.dir), 'installed.json'));
    await writeFile(join(environment.dir, 'leftover'), '');
    expect(await isInstalled(environment)).toBe(false);
    expect(await done(harness.install(dir, plan))).toEqual(environment);
    expect(harness.output).toEqual(['ran', 'ran']);
  });

  it('is made anew when a program that it runs with is gone', async () => {
    const dir = await harness.checkout(server);
    const install = [rung('only', 'mkdir -p .venv/bin && cp /bin/sh .venv/bin/python && echo ran')];
    const environment = await done(harness.install(dir, { install, start }));
    expect(environment.programs.python).toBe(join(environment.dir, '.venv/bin/python'));
    await rm(environment.programs.python!);
    expect(await isInstalled(environment)).toBe(false);
    await done(harness.install(dir, { install, start }));
    expect(harness.output).toEqual(['ran', 'ran']);
  });

  it('stays when only the way to start it changes', async () => {
    const dir = await harness.checkout({ ...server, 'other.js': '' });
    const install = [rung('only', 'echo ran')];
    const first = await done(harness.install(dir, { install, start }));
    const second = await done(harness.install(dir, { install, start: [starts('other.js')] }));
    expect(second.key).toBe(first.key);
    expect(second.plan.start).toEqual([starts('other.js')]);
    expect(harness.output).toEqual(['ran']);
    expect(await failed(harness.install(dir, { install, start: [starts('absent.js')] }))).toMatchObject({
      code: 'INSTALL_ENTRY_MISSING',
    });
    expect(await isInstalled(second), 'a wrong override does no harm').toBe(true);
  });

  it('replaces older ones, but not the one before, one just made, or one in the making', async () => {
    const dir = await harness.checkout(server);
    const version = async (commit: string, hoursAgo: number) => {
      const checkout = { dir, commit, committedAt: null };
      const made = await done(harness.install(dir, { start }, { checkout }));
      const then = Date.now() / 1000 - hoursAgo * 3600;
      await utimes(join(dirname(made.dir), 'installed.json'), then, then);
      return made.key;
    };
    await version('oldest', 3);
    const before = await version('before', 2);
    const { store } = harness.another().context;
    await mkdir(store.environmentDir('p', 'in-the-making'), { recursive: true });
    await mkdir(store.environmentDir('p', 'half-made'), { recursive: true });
    await store.withLock('env:p:in-the-making', new AbortController().signal, async () => {
      const current = await version('current', 0);
      expect((await environmentsOf(harness.home)).toSorted()).toEqual(
        [before, current, 'in-the-making'].map((key) => `p/${key}`).sort(),
      );
    });
  });

  it('serves every instance, and removes none in which another one runs', async () => {
    const dir = await harness.checkout(server);
    const { store, instances } = harness.context;
    const version = async (commit: string, hoursAgo: number, plugin: string) => {
      const made = await done(
        harness.install(dir, { start }, { plugin, checkout: { dir, commit, committedAt: null } }),
      );
      const then = Date.now() / 1000 - hoursAgo * 3600;
      await utimes(join(dirname(made.dir), 'installed.json'), then, then);
      return made;
    };
    const oldest = await version('oldest', 3, 'p');
    expect(await version('oldest', 3, 'p#1')).toEqual(oldest);
    await version('before', 2, 'p#1');
    instances.set('p#2', { generation: 1, environment: dirname(oldest.dir) } as Instance);
    const current = await version('current', 0, 'p#1');
    expect(await environmentsOf(harness.home)).toHaveLength(3);
    expect(await isInstalled(oldest)).toBe(true);
    expect((await store.readFacts('p')).environment).toEqual(current);
  });

  it('names the folders and programs that the plugin runs with', async () => {
    const dir = await harness.checkout({ 'sub/server.js': '' });
    const install = [rung('only', 'mkdir -p node_modules/.bin sub/node_modules/.bin')];
    const tools = [{ name: 'node', version: '>=18' }];
    const plan = { projectDir: 'sub', tools, install, start: [starts('sub/server.js')] };
    const { dir: tree, path, programs } = await done(harness.install(dir, plan));
    expect(path).toEqual([join(tree, 'sub/node_modules/.bin'), join(tree, 'node_modules/.bin')]);
    expect(programs).toEqual({ node: process.execPath });
  });
});

describe('the install ladder', () => {
  it('goes to the next rung that cures what broke, and records it', async () => {
    const dir = await harness.checkout(server);
    const install = [
      rung('frozen', 'echo CAUSE=lock-out-of-date >&2; exit 1'),
      rung('no-scripts', 'echo must not run', ['install-script-failed']),
      rung('loose', 'echo installed', ['lock-out-of-date']),
    ];
    expect(await done(harness.install(dir, { install, start }))).toMatchObject({
      rung: 'loose',
      fallbacks: [{ tried: 'frozen', cause: 'lock-out-of-date', detail: 'The output says lock-out-of-date.' }],
    });
    expect(harness.output).toEqual([
      'CAUSE=lock-out-of-date',
      'The output says lock-out-of-date. Trying loose.',
      'installed',
    ]);
  });

  it('runs what may fail after a rung, and goes on when it does', async () => {
    const dir = await harness.checkout(server);
    const install = [{ ...rung('only', 'echo installed'), afterwards: [sh('exit 1'), sh('echo rebuilt')] }];
    expect((await done(harness.install(dir, { install, start }))).rung).toBe('only');
    expect(harness.output).toEqual(['installed', 'rebuilt']);
    expect(harness.warnings).toEqual(['a step that may fail has failed']);
  });

  it('fails with the installer’s last lines when no rung cures it, and leaves nothing', async () => {
    const dir = await harness.checkout(server);
    const install = [
      rung('frozen', 'echo some words; echo CAUSE=install-script-failed >&2; exit 7'),
      rung('x', 'true', ['network']),
    ];
    expect(await failed(harness.install(dir, { install, start }))).toMatchObject({
      code: 'INSTALL_FAILED',
      exit: { code: 7, signal: null },
      message: expect.stringContaining('exit code 7: The output says install-script-failed.'),
      hint: 'Cure install-script-failed.',
      stderrTail: ['CAUSE=install-script-failed'],
      data: { rung: 'frozen', tried: ['frozen'], cause: 'install-script-failed' },
    });
    expect(await environmentsOf(harness.home)).toEqual([]);
  });

  it.each([
    ['CAUSE=network', 'INSTALL_NETWORK', true],
    ['CAUSE=out-of-disk', 'HOME_DISK_FULL', true],
    ['npm error code ENOSPC', 'HOME_DISK_FULL', true],
    ['anything else', 'INSTALL_FAILED', false],
  ])('%s is %s', async (line, code, retryable) => {
    const dir = await harness.checkout(server);
    const install = [rung('only', `echo '${line}' >&2; exit 1`)];
    expect(await failed(harness.install(dir, { install, start }))).toMatchObject({ code, retryable });
  });

  it('names a program that is missing, and a tool that the plan needs', async () => {
    const dir = await harness.checkout(server);
    const install = [{ id: 'only', steps: [command('frobnicate', 'install')], cures: 'any' as const }];
    const failure = await failed(harness.install(dir, { install, start }));
    expect(failure).toMatchObject({ code: 'DETECT_MISSING_RUNTIME', data: { tool: 'frobnicate' } });
    const tools = [{ name: 'frobnicate', version: '>=2' }];
    const refused = await failed(harness.install(dir, { tools, start }));
    expect(refused.message).toBe('The plugin needs frobnicate >=2, which is not installed here.');
  });

  it('gives packages as of the commit’s date when asked', async () => {
    const dir = await harness.checkout(server);
    const checkout = { dir, commit: 'c1', committedAt: '2025-03-04T05:06:07Z' };
    const install = [rung('only', 'echo $UV_EXCLUDE_NEWER $NPM_CONFIG_BEFORE')];
    await done(harness.install(dir, { install, start }, { checkout }));
    await done(harness.install(dir, { install, start }, { checkout, dependencies: 'as-of-commit' }));
    expect(harness.output).toEqual(['', '2025-03-04T05:06:07Z 2025-03-04T05:06:07Z']);
  });

  const committedAt = '2025-03-04T05:06:07Z';
  const dated = (id: string, line: string): Rung => ({ ...rung(id, line), asOfCommit: true });

  it('keeps its rungs as of a date for when that is asked for, and fills in the date', async () => {
    const dir = await harness.checkout(server);
    const install = [rung('today', 'exit 1'), dated('then', 'echo {date} $AGE')];
    const [step] = install[1]!.steps;
    const plan = {
      install: [install[0]!, { ...install[1]!, steps: [{ ...step!, env: { AGE: '{minutes}' } }] }],
      start,
    };
    expect((await failed(harness.install(dir, plan))).data.tried).toEqual(['today']);
    const checkout = { dir, commit: 'c1', committedAt };
    expect((await failed(harness.install(dir, plan, { checkout }))).data.tried).toEqual(['today']);
    const environment = await done(harness.install(dir, plan, { checkout, dependencies: 'as-of-commit' }));
    expect(environment.rung).toBe('then');
    expect(harness.output.at(-1)).toMatch(/^2025-03-04T05:06:07Z \d{6,}$/);
  });

  it('records the start that made it necessary', async () => {
    const dir = await harness.checkout(server);
    const because = { tried: 'start', cause: 'missing-module' as const, detail: 'The module x is missing.' };
    const environment = await done(harness.install(dir, { install: [rung('only', 'true')], start }, { because }));
    expect(environment.fallbacks).toEqual([because]);
  });

  it('climbs on when a build breaks on what it installed, from the tree as it was', async () => {
    const dir = await harness.checkout({});
    const checkout = { dir, commit: 'c1', committedAt };
    const then: Rung = { ...dated('then', 'test ! -e leftover && echo old > used'), curesBuild: ['build-failed'] };
    const plan = {
      install: [rung('today', 'echo > leftover; echo new > used'), then],
      build: [sh('grep old used || { echo CAUSE=build-failed; exit 1; }; mkdir dist; echo > dist/index.js')],
      start: [starts('dist/index.js')],
    };
    const environment = await done(harness.install(dir, plan, { checkout }));
    expect(environment.rung).toBe('then');
    expect(environment.fallbacks).toMatchObject([{ tried: 'build', cause: 'build-failed' }]);
    const folder = { dir: await harness.checkout({}, 'folder'), commit: 'c2', committedAt: null };
    const failure = await failed(harness.install(folder.dir, plan, { checkout: folder }));
    expect(failure.code, 'without a date there is nothing to climb to').toBe('INSTALL_BUILD_FAILED');
  });

  it('tells of the build, not of the other packages that were tried for its sake', async () => {
    const dir = await harness.checkout({});
    const then: Rung = { ...dated('then', 'echo CAUSE=version-not-found; exit 1'), curesBuild: ['build-failed'] };
    const plan = { install: [rung('today', 'true'), then], build: [sh('echo CAUSE=build-failed; exit 1')] };
    const install = harness.install(
      dir,
      { ...plan, start: [starts('dist/index.js')] },
      { checkout: { dir, commit: 'c1', committedAt } },
    );
    expect((await failed(install)).code).toBe('INSTALL_BUILD_FAILED');
  });

  it('takes the plan’s newer tools when install or build says that the runtime is too old', async () => {
    const runtime = (version: string, otherwise: string) =>
      `#!/bin/sh\ncase $1 in --version) echo ${version}.0.0;; *) ${otherwise};; esac\n`;
    const dir = await harness.checkout({
      ...server,
      'bin/1/runtime': runtime('1', 'echo CAUSE=runtime-too-old; exit 1'),
      'bin/2/runtime': runtime('2', 'echo made > made'),
    });
    const [older, newer] = ['1', '2'].map((version) => join(dir, 'bin', version, 'runtime')) as [string, string];
    await Promise.all([older, newer].map((program) => chmod(program, 0o755)));
    (harness.context.callerEnv as Record<string, string>).PATH = [
      dirname(older),
      dirname(newer),
      process.env.PATH,
    ].join(':');
    const plan = {
      tools: [{ name: 'runtime', version: null }],
      newerTools: [{ name: 'runtime', version: '>=2' }],
      install: [{ id: 'only', cures: 'any' as const, steps: [command('runtime', 'install')] }],
      start,
    };
    const environment = await done(harness.install(dir, plan));
    expect(environment).toMatchObject({
      programs: { runtime: newer },
      plan: { tools: [{ name: 'runtime', version: '>=2' }] },
      fallbacks: [{ tried: 'install', cause: 'runtime-too-old' }],
    });
    expect(environment.plan.newerTools, 'there are none above them').toBeUndefined();
    const asked = await done(harness.install(dir, plan, { runtime: 'newer' }));
    expect(asked.key, 'it is the same environment').toBe(environment.key);
    expect((await failed(harness.install(dir, { ...plan, newerTools: [] }))).data.cause).toBe('runtime-too-old');
  });

  it('notes install scripts that a package manager held back', async () => {
    const dir = await harness.checkout(server);
    const install = [rung('only', 'echo "Ignored build scripts: esbuild."')];
    await done(harness.install(dir, { install, start }));
    expect(harness.warnings).toEqual(['the package manager held back install scripts']);
  });
});

describe('a build', () => {
  it('runs although the entry is there when that is older than its source', async () => {
    const dir = await harness.checkout({ 'dist/index.js': 'old' });
    const build = [sh('echo building; echo new > dist/index.js')];
    const { dir: tree } = await done(harness.install(dir, { build, rebuild: true, start: [starts('dist/index.js')] }));
    expect(await text(join(tree, 'dist/index.js'))).toBe('new\n');
  });

  it('runs when the entry is missing, and only then', async () => {
    const plan = {
      build: [sh('echo building; mkdir -p dist; echo > dist/index.js')],
      start: [starts('dist/index.js')],
    };
    await done(harness.install(await harness.checkout({ 'dist/index.js': '' }, 'built'), plan));
    expect(harness.output).toEqual([]);
    const unbuilt = await harness.checkout({ 'src/index.ts': '' }, 'unbuilt');
    await done(harness.install(unbuilt, plan, { checkout: { dir: unbuilt, commit: 'c2', committedAt: null } }));
    expect(harness.output).toEqual(['building']);
  });

  it('runs when only a later choice is there: a library beside an unbuilt program', async () => {
    const dir = await harness.checkout({ 'index.js': '' });
    const candidates = [starts('dist/cli.js'), starts('index.js', 'main')];
    const build = [sh('mkdir dist; echo > dist/cli.js')];
    expect((await done(harness.install(dir, { build, start: candidates }))).plan.start).toEqual(candidates);
  });

  it('runs when no candidate names a file that would tell', async () => {
    const dir = await harness.checkout({});
    await done(harness.install(dir, { build: [sh('echo building')], start: [starts(null)] }));
    expect(harness.output).toEqual(['building']);
  });

  it('that fails but wrote its entry is good enough', async () => {
    const dir = await harness.checkout({});
    const build = [sh('mkdir dist; echo > dist/index.js; echo error TS2345; exit 2')];
    const { plan } = await done(harness.install(dir, { build, start: [starts('dist/index.js')] }));
    expect(plan.start).toHaveLength(1);
    expect(harness.warnings).toEqual(['the build failed but wrote its entry; going on']);
  });

  it('that fails and wrote nothing leaves the choices that are there', async () => {
    const dir = await harness.checkout({ 'index.js': '' });
    const candidates = [starts('dist/cli.js'), starts('index.js', 'main')];
    const { plan } = await done(harness.install(dir, { build: [sh('exit 1')], start: candidates }));
    expect(plan.start).toEqual([starts('index.js', 'main')]);
  });

  it('that fails and leaves nothing to start is a failure with its last lines', async () => {
    const dir = await harness.checkout({});
    const build = [sh('echo "src/a.ts(1,1): error TS1005"; echo CAUSE=build-failed; exit 2')];
    const plan = { build, start: [starts('dist/index.js')] };
    expect(await failed(harness.install(dir, plan))).toMatchObject({
      code: 'INSTALL_BUILD_FAILED',
      exit: { code: 2, signal: null },
      hint: 'Cure build-failed.',
      stderrTail: ['src/a.ts(1,1): error TS1005', 'CAUSE=build-failed'],
      data: { expected: ['dist/index.js'] },
    });
    expect(await failed(harness.install(dir, { build, start: [starts(null)] }))).toMatchObject({
      code: 'INSTALL_BUILD_FAILED',
    });
    expect(await environmentsOf(harness.home)).toEqual([]);
  });

  it('that succeeds without writing the entry is another failure', async () => {
    const dir = await harness.checkout({});
    const failure = await failed(harness.install(dir, { build: [sh('true')], start: [starts('dist/index.js')] }));
    expect(failure).toMatchObject({ code: 'INSTALL_ENTRY_MISSING', message: expect.stringContaining('dist/index.js') });
  });

  it('is followed by the launcher’s second look at the tree', async () => {
    const dir = await harness.checkout(server);
    const candidates = [starts('server.js'), starts('main.js', 'main')];
    const install = [rung('only', 'echo > main.js; echo > prefers-main')];
    expect((await done(harness.install(dir, { install, start: candidates }))).plan.start).toEqual([candidates[1]]);
  });
});

describe('a cancelled install', () => {
  it('ends when its processes are gone, and leaves no folder', async () => {
    const dir = await harness.checkout(server);
    // A grandchild that ignores SIGTERM, and a temp file as installers leave them when they are killed.
    const line = 'echo > "$TMPDIR/unpacked"; (trap "" TERM; sleep 600 & wait; sleep 600) & echo running; wait';
    const install = harness.install(dir, { install: [rung('only', line)], start });
    await vi.waitFor(() => expect(harness.output).toEqual(['running']), { timeout: 20_000 });
    install.cancel();
    expect(await install.result).toEqual({ status: 'cancelled' });
    await expectNothingLeft(harness.home);
    expect(await environmentsOf(harness.home)).toEqual([]);
  });

  it('leaves no folder when it waited for another one', async () => {
    const dir = await harness.checkout(server);
    const plan = { install: [rung('only', 'echo running; sleep 0.5')], start };
    const first = harness.install(dir, plan);
    await vi.waitFor(() => expect(harness.output).toEqual(['running']), { timeout: 20_000 });
    const second = harness.another().install(dir, plan);
    second.cancel();
    expect(await second.result).toEqual({ status: 'cancelled' });
    await done(first);
    expect(harness.output).toEqual(['running']);
  });
});

describe('secrets', () => {
  it('of the plugin reach no installer, no fact and no failure', async () => {
    await harness[Symbol.asyncDispose]();
    harness = await createHarness({ API_KEY: 'callers-secret' });
    const dir = await harness.checkout(server);
    const { spec } = (await import('./process-harness.ts')).inputOf([], { env: { OWN_KEY: 'owners-secret' } });
    const wants = [{ name: 'API_KEY', required: true, secret: true }];
    const print = 'env; echo https://me:hunter2@example.org/x >&2; echo $API_KEY >&2';
    const install = [rung('only', print)];
    await done(harness.install(dir, { install, start, wants }, { spec }));
    const files = await promisify(execFile)('grep', ['-rlE', 'owners-secret|callers-secret', harness.home.path]).catch(
      ({ stdout }) => ({ stdout }),
    );
    expect(files.stdout).toBe('');
    expect(harness.output.join('\n')).not.toContain('owners-secret');
    const failure = await failed(
      harness.install(dir, { install: [rung('only', `${print}; exit 1`)], start, wants }, { spec }),
    );
    expect(failure.stderrTail).toEqual(['https://[redacted]@example.org/x', '[redacted]']);
    expect(JSON.stringify(failure)).not.toMatch(/owners-secret|callers-secret|hunter2/);
  });
});
