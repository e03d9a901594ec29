import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSupervisor, type StateChange, type Supervisor, SupervisorError } from '../../src/index.ts';
import { runCli } from '../support/cli.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft, isAlive } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

let repos: FixtureRepos;
beforeAll(async () => {
  repos = await createFixtureRepos();
});
afterAll(() => repos?.[Symbol.asyncDispose]());

describe('one plugin, many callers', () => {
  needsRegistries('npm');
  let home: TestHome;
  let supervisor: Supervisor;

  beforeAll(async () => {
    home = await createHome();
    const { url } = await repos.add('node-stdio');
    supervisor = createSupervisor({ home: home.path, env: home.env, plugins: { fixture: url } });
  });
  afterAll(async () => {
    await supervisor?.close();
    if (home) await expectNothingLeft(home);
    await home?.[Symbol.asyncDispose]();
  });

  const pid = async () => textOf(await supervisor.call('fixture', { tool: 'pid' }));

  test('100 first calls at once make one spawn and get 100 results', async () => {
    const pids = await Promise.all(Array.from({ length: 100 }, pid));
    expect(pids).toHaveLength(100);
    expect(new Set(pids)).toEqual(new Set([String(supervisor.status('fixture').pid)]));
    expect(supervisor.status('fixture').generation).toBe(1);
    expect(supervisor.history('fixture').filter(({ state }) => state === 'launching')).toHaveLength(1);
    expect(await environmentsOf(home)).toHaveLength(1);
  });

  test('after SIGKILL it is back: the call in flight fails once with its fate, later ones are answered', async () => {
    const before = await pid();
    const settled: unknown[] = [];
    const inFlight = supervisor.call('fixture', { tool: 'slow', arguments: { ms: 60_000 } }).then(
      (result) => settled.push(result),
      (error) => settled.push(error),
    );
    const seen = new Promise<void>((resolve) => {
      const off = supervisor.on('plugin:stopping', () => {
        off();
        resolve();
      });
    });

    process.kill(Number(before), 'SIGKILL');
    await seen;
    const later = await Promise.all(Array.from({ length: 10 }, pid));
    await inFlight;

    expect(new Set(later).size).toBe(1);
    expect(later[0]).not.toBe(before);
    expect(settled).toHaveLength(1);
    expect(settled[0]).toBeInstanceOf(SupervisorError);
    expect(settled[0]).toMatchObject({ code: 'CALL_INTERRUPTED', data: { fate: 'sent-unknown' } });
    expect(supervisor.status('fixture').generation).toBe(2);
  });

  test('a tool that ends its own process fails once, and the next call is answered', async () => {
    const before = await pid();
    const failure = await supervisor.call('fixture', { tool: 'crash' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CALL_INTERRUPTED', exit: { code: 1, signal: null } });
    expect((failure as SupervisorError).stderrTail).toContain('crashing on request');
    expect(await pid()).not.toBe(before);
  });

  test('a process that escapes its group is gone after a stop', async () => {
    const escaped = Number(textOf(await supervisor.call('fixture', { tool: 'spawn-grandchild' })));
    expect(await isAlive(escaped)).toBe(true);
    await supervisor.stop('fixture');
    expect(await isAlive(escaped)).toBe(false);
    await expect(supervisor.call('fixture', { tool: 'pid' })).rejects.toMatchObject({ code: 'CALL_STOPPED' });
    await supervisor.start('fixture');
    expect(await pid()).toMatch(/^\d+$/);
  });

  test('a flood on stderr neither blocks it nor fills the memory', async () => {
    const result = await supervisor.call('fixture', { tool: 'flood', arguments: { lines: 100_000 } });
    expect(textOf(result)).toBe('100000');
    await expect.poll(() => supervisor.logs('fixture').at(-1)?.text, { timeout: 10_000 }).toBe('flood 100000');
    expect(supervisor.logs('fixture').length).toBeLessThanOrEqual(1000);
    expect(await pid()).toMatch(/^\d+$/);
  });
});

describe('a plugin that always crashes', () => {
  const DOOMED = [
    { name: 'exits-at-once', tries: 5, why: 'starts that never became ready', exit: 3 },
    // Ten tries with the usual delays last two minutes; and delays this short must not overlap by their jitter.
    {
      name: 'always-crashes',
      tries: 10,
      why: 'crashes after ready',
      exit: 1,
      restartPolicy: { minDelay: 10, jitter: 0 },
    },
  ];

  test.each(DOOMED)(
    '$name is parked after $tries $why, with growing delays',
    async ({ name, tries, exit, restartPolicy }) => {
      await using home = await createHome();
      const supervisor = createSupervisor({
        home: home.path,
        env: home.env,
        plugins: { doomed: fixtureFolder(name) },
        ...(restartPolicy && { restartPolicy }),
      });
      const waits: number[] = [];
      const parked = new Promise<StateChange>((resolve) => {
        supervisor.on('plugin:crashed', (change) => {
          // The decision follows the crash: it stands in the status once the event has been handled.
          setImmediate(() => {
            const { retryAt, subState } = supervisor.status('doomed');
            if (subState === 'parked') resolve(change);
            else if (retryAt !== null) waits.push(Date.parse(retryAt) - Date.parse(change.at));
          });
        });
      });
      try {
        await supervisor.call('doomed', { tool: 'echo' }).catch(() => {});
        const { failure } = await parked;

        expect(supervisor.history('doomed').filter(({ state }) => state === 'launching')).toHaveLength(tries);
        expect(waits).toHaveLength(tries - 1);
        expect(waits).toEqual([...waits].sort((a, b) => a - b));
        expect(failure).toMatchObject({ exit: { code: exit } });
        await expect(supervisor.call('doomed', { tool: 'echo' })).rejects.toMatchObject({ code: failure?.code });
      } finally {
        await supervisor.close();
      }
      await expectNothingLeft(home);
    },
  );
});

describe('ten command lines at once on one empty home', () => {
  needsRegistries('npm');

  test('all succeed with one install', async () => {
    await using home = await createHome();
    const log = join(home.root, 'builds');
    await appendFile(log, '');
    const manifest = JSON.parse(await readFile(join(fixtureFolder('node-stdio'), 'package.json'), 'utf8'));
    manifest.scripts.build += ` && node -e "fs.appendFileSync('${log}', 'built once\\n')"`;
    const { url } = await repos.add('node-stdio', {
      as: 'counts-builds',
      files: { 'package.json': JSON.stringify(manifest, null, 2) },
    });

    const call = (_: unknown, index: number) => runCli(home, ['call', url, 'echo', `message=caller ${index}`]);
    const results = await Promise.all(Array.from({ length: 10 }, call));

    for (const [index, result] of results.entries()) {
      expect(result, result.stderr).toMatchObject({ exitCode: 0, stdout: `caller ${index}\n` });
    }
    expect(await readFile(log, 'utf8')).toBe('built once\n');
    expect(await environmentsOf(home)).toHaveLength(1);
    await expectNothingLeft(home);
  });
});

const textOf = (result: { readonly content?: readonly { readonly text?: string }[] }): string =>
  result.content?.[0]?.text ?? '';
