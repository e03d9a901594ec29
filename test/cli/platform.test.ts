import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSupervisor } from '../../src/supervisor.ts';
import { errorOf, runCli } from '../support/cli.ts';
import { createHome, type TestHome } from '../support/home.ts';

/** Arguments of node under which it takes itself for Windows. */
async function asWindows(home: TestHome): Promise<readonly string[]> {
  const preload = join(home.root, 'windows.cjs');
  await writeFile(preload, "Object.defineProperty(process, 'platform', { value: 'win32' });");
  return ['--require', preload];
}

test.each(['detect', 'tools', 'call', 'run'])('%s stops at once on Windows and points to WSL', async (command) => {
  await using home = await createHome();
  const node = await asWindows(home);
  for (const words of [[command, './anywhere', 'tool'], [command, '--no-such-option'], [command]]) {
    const result = await runCli(home, [...words, '--json'], { node });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(errorOf(result)).toMatchObject({
      code: 'CONFIG_UNSUPPORTED_PLATFORM',
      hint: expect.stringContaining('WSL'),
    });
  }
});

test('--version and --help say what they say everywhere', async () => {
  await using home = await createHome();
  const node = await asWindows(home);
  for (const words of [['--version'], ['-V'], ['--help'], ['help', 'call'], ['call', '--help']]) {
    expect(await runCli(home, words, { node })).toEqual(await runCli(home, words));
  }
});

test('an embedded supervisor is refused on Windows before it touches the home', async () => {
  await using home = await createHome();
  const { platform } = process;
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }));
  Object.defineProperty(process, 'platform', { value: 'win32' });
  expect(() => createSupervisor({ home: home.path, env: home.env })).toThrow(
    expect.objectContaining({ code: 'CONFIG_UNSUPPORTED_PLATFORM' }),
  );
});
