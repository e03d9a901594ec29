/** Node projects that a plain approach can't start, from a git URL to a tool's answer. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Facts } from '../../actors/store/store.ts';
import { createSupervisor, type Supervisor } from '../../src/index.ts';
import { planSource } from '../../src/plan-source.ts';
import { defaultName, parseSource } from '../../src/source.ts';
import { createFixtureRepos, type FixtureRepos, fixtureFolder } from '../support/fixture-repos.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

let repos: FixtureRepos;
let home: TestHome;
let supervisor: Supervisor;

beforeAll(async () => {
  repos = await createFixtureRepos();
});
afterAll(() => repos?.[Symbol.asyncDispose]());

beforeEach(async () => {
  home = await createHome();
});
afterEach(async () => {
  await supervisor?.close();
  await expectNothingLeft(home);
  await home[Symbol.asyncDispose]();
});

let url: string;
let name: string;

async function answers(as: string, files: Readonly<Record<string, string>>): Promise<string> {
  url = (await repos.add('trap-newer-node', { as, files })).url;
  name = defaultName(parseSource(url).source);
  supervisor = createSupervisor({ home: home.path, env: home.env, plugins: { [name]: url } });
  const result = await supervisor.call(name, { tool: 'node' });
  return result.content?.[0]?.text ?? '';
}

const facts = async (): Promise<Facts> =>
  JSON.parse(await readFile(join(home.path, 'plugins', name, 'facts.json'), 'utf8'));

/** The fixture’s server, for any Node. */
const anyNode = async () =>
  (await readFile(join(fixtureFolder('trap-newer-node'), 'server.js'), 'utf8')).replace("import 'node:sqlite';\n", '');
const manifest = (fields: object) => JSON.stringify({ name: 'trap', type: 'module', dependencies: {}, ...fields });

describe('a server that needs a newer Node, and does not say so', () => {
  needsRegistries('npm');

  it('gets one of its own when it ends for that (trap 14)', async () => {
    const version = await answers('newer', {});
    expect(Number.parseInt(version, 10)).toBeGreaterThanOrEqual(22);
    if (Number.parseInt(process.versions.node, 10) >= 22) return;
    const { environment, attempt } = await facts();
    expect(environment).toMatchObject({
      fallbacks: [{ tried: 'start', cause: 'runtime-too-old', detail: expect.stringContaining('node:sqlite') }],
    });
    expect(attempt?.runtime).toBe('newer');
    expect(supervisor.status(name).generation).toBe(2);
    const lines = supervisor.logs(name).map(({ text }) => text);
    expect(lines).toContainEqual(expect.stringMatching(/node:sqlite.*Installing again/));
    const { installed } = await planSource(url, { home: home.path, env: home.env });
    expect(installed?.fallbacks, '`detect` says it afterwards').toMatchObject([{ tried: 'start' }]);
  });
});

describe('a server in a project with traps', () => {
  const ours = process.versions.node;

  it('is started though the first choice dies at once', async () => {
    const files = {
      'package.json': manifest({ bin: 'dead.js', main: 'server.js' }),
      'dead.js': 'process.exit(1);',
      'server.js': await anyNode(),
    };
    expect(await answers('dies', files)).toBe(ours);
  });

  it.each<[string, string]>([
    ['through npm, whose banner would stand before the protocol (trap 1)', 'node server.js'],
    ['in a watcher (trap 2)', 'nodemon server.js'],
    ['with a .env file that is not in git (trap 15)', 'node --env-file=.env server.js'],
    ['after a build (trap 6)', 'npm run build && node server.js'],
  ])('is started where `start` runs it %s', async (what, start) => {
    const scripts = { start, build: 'node -e ""' };
    const files = { 'package.json': manifest({ scripts }), 'server.js': await anyNode() };
    expect(await answers(`start-${what.length}`, files)).toBe(ours);
  });

  it('is started where `main` names a file that is not there (trap 5)', async () => {
    const files = {
      'package.json': manifest({ main: 'dist/index.js' }),
      'server.js': `${await anyNode()}// new Server(`,
    };
    expect(await answers('main', files)).toBe(ours);
  });
});
