import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

needsRegistries('npm');

test('the embedding example walks a plugin through its states, calls it and ends by itself', async () => {
  await using home = await createHome();
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['fixtures/examples/embed.mjs'], {
    cwd: root,
    env: home.env,
  });
  const states = ['cloning', 'detecting', 'installing', 'launching', 'probing', 'ready'];
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => states.some((state) => line.endsWith(state)))).toEqual(
    states.map((state) => `calculator: ${state}`),
  );
  expect(lines).toContain('5');
  await expectNothingLeft(home);
});
