import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliProcess, type CliResult, runCli, startCli } from '../support/cli.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { createHome, environmentsOf, type TestHome } from '../support/home.ts';
import { expectNothingLeft, expectProcessesToEnd, leftoversOf } from '../support/leftovers.ts';

/** A plugin with a child in its group and a detached grandchild, both deaf to SIGTERM. */
const FAMILY = fixtureFolder('family');
const THROWS = pathToFileURL(fileURLToPath(new URL('../support/throw-on-signal.mjs', import.meta.url))).href;

let repos: FixtureRepos;
let endlessBuild: string;
let mute: Server;
beforeAll(async () => {
  repos = await createFixtureRepos();
  const build = `require('node:fs').writeFileSync(process.env.FIXTURE_MARK, 'building');
process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);`;
  endlessBuild = (await repos.add('build-fails', { as: 'endless-build', files: { 'build.js': build } })).url;
  mute = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  mute?.closeAllConnections();
  mute?.close();
  await repos?.[Symbol.asyncDispose]();
});

interface Ending {
  readonly name: string;
  readonly signal: NodeJS.Signals;
  readonly expected: Partial<CliResult>;
}

const POLITE: readonly Ending[] = [
  { name: 'Ctrl-C', signal: 'SIGINT', expected: { exitCode: 130 } },
  { name: 'SIGTERM', signal: 'SIGTERM', expected: {} },
  { name: 'a hangup', signal: 'SIGHUP', expected: {} },
  { name: 'an exception', signal: 'SIGUSR2', expected: { exitCode: 1 } },
];

const start = (home: TestHome, args: readonly string[]) =>
  startCli(home, args, { node: ['--import', THROWS], env: { FIXTURE_MARK: markOf(home) } });

/** Where the command line is when it is hit. */
const MOMENTS: Readonly<Record<string, (home: TestHome) => Promise<CliProcess>>> = {
  'in the middle of a call': async (home) => {
    const cli = start(home, ['call', FAMILY, 'wait', '--env', `FIXTURE_MARK=${markOf(home)}`]);
    await mark(home, cli);
    await expectFamily(home);
    return cli;
  },
  'while a plugin runs in the foreground': async (home) => {
    const cli = start(home, ['run', FAMILY]);
    await cli.said(/ready/);
    await expectFamily(home);
    return cli;
  },
  'in the middle of a build': async (home) => {
    const cli = start(home, ['tools', endlessBuild]);
    await mark(home, cli);
    return cli;
  },
  'in the middle of a clone': async (home) => {
    const asked = new Promise((resolve) => mute.once('request', resolve));
    const cli = start(home, ['tools', `http://127.0.0.1:${(mute.address() as AddressInfo).port}/owner/name.git`]);
    await Promise.race([asked, endedTooSoon(cli)]);
    return cli;
  },
};

/** Without this the tests would pass for want of a family. */
async function expectFamily(home: TestHome): Promise<void> {
  const { processes } = await leftoversOf(home);
  expect(processes.filter(({ command }) => command.includes('setInterval'))).toHaveLength(2);
}

/** A file that the plugin or the build writes when it has got there. */
const markOf = (home: TestHome) => join(home.root, 'mark');

async function mark(home: TestHome, cli: CliProcess): Promise<void> {
  const ended = endedTooSoon(cli);
  ended.catch(() => {}); // it ends after all, once the test has signalled it
  while (!existsSync(markOf(home))) await Promise.race([sleep(25), ended]);
}

const endedTooSoon = ({ result }: CliProcess) =>
  result.then(({ exitCode, stderr }) => {
    throw new Error(`it ended too soon (${exitCode}):\n${stderr}`);
  });

const moments = Object.keys(MOMENTS);

describe.each(POLITE)(
  '$name leaves no process, no temp folder and no half-made environment',
  ({ signal, expected }) => {
    test.each(moments)('%s', async (moment) => {
      await using home = await createHome();
      const cli = await MOMENTS[moment]!(home);
      cli.child.kill(signal);
      const result = await cli.result;
      expect(result, result.stderr).toMatchObject(expected);
      expect(result.exitCode).not.toBe(0);
      await expectNothingLeft(home);
      if (moment.includes('build') || moment.includes('clone')) expect(await environmentsOf(home)).toEqual([]);
    });
  },
);

describe('SIGKILL', () => {
  test.each(moments)('%s leaves no process, and the next command starts clean', async (moment) => {
    await using home = await createHome();
    const cli = await MOMENTS[moment]!(home);
    cli.child.kill('SIGKILL');
    await cli.result;
    await expectProcessesToEnd(home);

    const next = await runCli(home, ['call', FAMILY, 'pid']);
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    await expectNothingLeft(home);
  });
});

test('a second Ctrl-C does not make it worse', async () => {
  await using home = await createHome();
  const cli = await MOMENTS['while a plugin runs in the foreground']!(home);
  cli.child.kill('SIGINT');
  cli.child.kill('SIGINT');
  expect((await cli.result).exitCode).toBe(130);
  await expectNothingLeft(home);
});
