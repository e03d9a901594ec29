/** Images through the real install and launch path, with a docker program that writes down what it is asked. */

import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PluginOptions, Supervisor } from '../src/options.ts';
import { createSupervisor } from '../src/supervisor.ts';
import { createHome, type TestHome } from './support/home.ts';
import { expectNothingLeft } from './support/leftovers.ts';

const DOCKER = fileURLToPath(new URL('../fixtures/processes/docker.mjs', import.meta.url));
const IMAGE = 'FROM scratch\nEXPOSE 8080\nENTRYPOINT ["/server"]\n';

let home: TestHome;
let supervisor: Supervisor;
let record: string;
let source: string;

beforeEach(async () => {
  home = await createHome();
  record = join(home.root, 'docker.log');
  source = join(home.root, 'plugin');
  await mkdir(source);
  await writeFile(join(source, 'Dockerfile'), IMAGE);
  await writeFile(join(source, '.env.example'), 'ACME_TOKEN=\n');
});
afterEach(async () => {
  await supervisor.close();
  await expectNothingLeft(home);
  await home[Symbol.asyncDispose]();
});

async function start(options: Partial<PluginOptions> = {}, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const bin = join(home.root, 'bin');
  await mkdir(bin);
  await symlink(DOCKER, join(bin, 'docker'));
  await chmod(DOCKER, 0o755);
  const PATH = [bin, dirname(process.execPath), home.env.PATH].join(delimiter);
  supervisor = createSupervisor({
    home: home.path,
    env: { ...home.env, PATH, DOCKER_CONFIG: '/nowhere', ...env },
    plugins: { acme: { source, ...options } },
  });
}

const asked = async (): Promise<string[][]> =>
  (await readFile(record, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
const the = async (command: string) => (await asked()).filter(([first]) => first === command);

describe('an image', () => {
  it('is built once and run with names of variables, their values only in its environment', async () => {
    const secret = 'a value that no list of processes may show';
    await start({ env: { DOCKER_RECORD: record, OWN_SETTING: 'x' } }, { ACME_TOKEN: secret, DOCKER_RECORD: record });
    await expect(supervisor.call('acme', { tool: 'echo', arguments: { message: 'hi' } })).resolves.toEqual({
      content: [{ type: 'text', text: 'hi' }],
    });
    await supervisor.stop('acme');
    await supervisor.start('acme');
    expect(await the('build')).toEqual([
      ['build', '--iidfile', '.mcp-supervisor-image', '-t', 'mcp-supervisor/plugin', '.'],
    ]);
    const [first = [], second = []] = await the('run');
    const line = first.join(' ');
    expect(line).toMatch(
      /^run -i --rm --init --label mcp-supervisor=\S+ -e ACME_TOKEN -e OWN_SETTING -p 127\.0\.0\.1:\d+:8080 sha256:(ab){32}$/,
    );
    expect(JSON.stringify(await asked())).not.toContain(secret);
    expect(second[5], 'each start has a label of its own').not.toBe(first[5]);
  });

  it('that outlived its start is removed by its label', async () => {
    await writeFile(`${record}.left`, '');
    await start({ env: { DOCKER_RECORD: record } }, { DOCKER_RECORD: record });
    await supervisor.start('acme');
    await supervisor.stop('acme');
    const [run = []] = await the('run');
    expect(await the('ps')).toEqual([['ps', '--all', '--quiet', '--filter', `label=${run[5]}`]]);
    expect(await the('rm')).toEqual([['rm', '--force', '0123456789ab']]);
  });

  it('needs an engine: a docker program that reaches none is not enough', async () => {
    await start({}, { DOCKER_RECORD: '/nowhere/at/all' });
    await expect(supervisor.start('acme')).rejects.toMatchObject({
      code: 'DETECT_MISSING_RUNTIME',
      message: expect.stringContaining('no Docker engine answers here'),
      hint: expect.stringMatching(/Docker/),
    });
  });
});
