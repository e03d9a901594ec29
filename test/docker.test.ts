/** Images through the real install and launch path, with a docker program that writes down what it is asked. */

import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PluginOptions, Supervisor } from '../src/options.ts';
import { createSupervisor } from '../src/supervisor.ts';
import type { Orders } from './reliability/programs/supervise.ts';
import { puppet } from './reliability/stage.ts';
import { createHome, type TestHome } from './support/home.ts';
import { expectNothingLeft, expectProcessesToEnd } from './support/leftovers.ts';
import { bundleProgram, type Program, startProgram } from './support/program.ts';

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
  supervisor = createSupervisor({
    home: home.path,
    env: { ...(await envWithDocker()), DOCKER_CONFIG: '/nowhere', ...env },
    plugins: { acme: { source, ...options } },
  });
}

/** The same in a program of its own. */
async function startProgramWith(more: Readonly<Record<string, string>>): Promise<Program> {
  const orders: Orders = { options: { plugins: { acme: { source } } } };
  const path = await bundleProgram('reliability/programs/supervise.ts');
  const program = startProgram(path, [JSON.stringify(orders)], { ...(await envWithDocker()), ...more });
  onTestFinished(async () => {
    program.child.kill('SIGKILL');
    await program.output;
  });
  return program;
}

async function envWithDocker(): Promise<Readonly<Record<string, string>>> {
  const bin = join(home.root, 'bin');
  await mkdir(bin);
  await symlink(DOCKER, join(bin, 'docker'));
  await chmod(DOCKER, 0o755);
  return { ...home.env, PATH: [bin, dirname(process.execPath), home.env.PATH].join(delimiter) };
}

const asked = (): string[][] =>
  readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
const the = (command: string) => asked().filter(([first]) => first === command);

describe('an image', () => {
  it('is built once and run with names of variables, their values only in its environment', async () => {
    const secret = 'a value that no list of processes may show';
    await start({ env: { DOCKER_RECORD: record, OWN_SETTING: 'x' } }, { ACME_TOKEN: secret, DOCKER_RECORD: record });
    await expect(supervisor.call('acme', { tool: 'echo', arguments: { message: 'hi' } })).resolves.toEqual({
      content: [{ type: 'text', text: 'hi' }],
    });
    await supervisor.stop('acme');
    await supervisor.start('acme');
    expect(the('build')).toEqual([['build', '--iidfile', '.mcp-supervisor-image', '-t', 'mcp-supervisor/plugin', '.']]);
    const [first = [], second = []] = the('run');
    const line = first.join(' ');
    expect(line).toMatch(
      /^run -i --rm --init --label mcp-supervisor=\S+ -e ACME_TOKEN -e OWN_SETTING -p 127\.0\.0\.1:\d+:8080 sha256:(ab){32}$/,
    );
    expect(JSON.stringify(asked())).not.toContain(secret);
    expect(second[5], 'each start has a label of its own').not.toBe(first[5]);
  });

  it('that outlived its start is removed by its label', async () => {
    await writeFile(`${record}.left`, '');
    await start({ env: { DOCKER_RECORD: record } }, { DOCKER_RECORD: record });
    await supervisor.start('acme');
    await supervisor.stop('acme');
    const [run = []] = the('run');
    expect(the('ps')).toEqual([['ps', '--all', '--quiet', '--filter', `label=${run[5]}`]]);
    expect(the('rm')).toEqual([['rm', '--force', '0123456789ab']]);
  });

  it('of a killed supervisor is removed by the next start on its home', async () => {
    const config = join(home.root, 'engine');
    record = join(config, 'record');
    await mkdir(config);
    await writeFile(`${record}.left`, '');
    const first = await startProgramWith({ DOCKER_CONFIG: config });
    await first.said('>ready');
    const [run = []] = the('run');
    first.child.kill('SIGKILL');
    await first.output;
    await expectProcessesToEnd(home);
    expect(the('ps'), 'nobody is there to ask').toEqual([]);

    // It knows of no engine by itself.
    supervisor = createSupervisor({ home: home.path, env: home.env, plugins: { other: puppet() } });
    const asks: string[][] = [];
    supervisor.on('plugin:launching', () => asks.push(...asked()));
    await supervisor.start('other');
    expect(asks.slice(-2)).toEqual([
      ['ps', '--all', '--quiet', '--filter', `label=${run[5]}`],
      ['rm', '--force', '0123456789ab'],
    ]);
    expect(await readdir(join(home.path, 'ledger'))).toHaveLength(1);
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
