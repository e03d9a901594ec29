import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { createHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';

test('detect --json prints the plan, where it was found, and what this machine has for it', async () => {
  await using home = await createHome();
  const { exitCode, stdout } = await runCli(home, ['detect', fixtureFolder('node-stdio'), '--json']);
  expect(exitCode).toBe(0);
  const said = JSON.parse(stdout);
  expect(said).toMatchObject({
    launcher: 'node',
    runtime: 'node',
    confidence: 'high',
    source: fixtureFolder('node-stdio'),
  });
  expect(said.machine).toContainEqual({
    name: 'node',
    wanted: null,
    found: { program: process.execPath, version: process.versions.node },
    fetchable: false,
    hint: '',
  });
  await expectNothingLeft(home);
});

test('detect --strict tells an author what is left to guesswork, and is content with the manifest that it suggests', async () => {
  await using home = await createHome();
  const folder = join(home.root, 'mine');
  await cp(fixtureFolder('node-stdio'), folder, { recursive: true });
  const packageFile = join(folder, 'package.json');
  const fields = JSON.parse(await readFile(packageFile, 'utf8'));
  await writeFile(packageFile, JSON.stringify({ ...fields, engines: { node: '>=20' } }, null, 2));
  const doubting = await runCli(home, ['detect', folder, '--strict']);
  expect(doubting.exitCode).toBe(3);
  expect(doubting.stdout).toMatch(/left to guesswork\n/);
  const manifest = doubting.stdout.slice(doubting.stdout.indexOf('outright:') + 'outright:'.length);
  await writeFile(join(folder, 'mcp-supervisor.yaml'), manifest.replaceAll(/^ {4}/gm, '').trimStart());
  const content = await runCli(home, ['detect', folder, '--strict']);
  expect(content.stdout).not.toContain('guesswork');
  expect(content.exitCode).toBe(0);
  await expectNothingLeft(home);
});
