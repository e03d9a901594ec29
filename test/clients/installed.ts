/** Clients from the registries, installed once per checkout (git ignores what they bring). */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = import.meta.dirname;
const MAX_OUTPUT = 64 * 1024 * 1024;

/** Runs `install` unless what was installed last answers to the same text. */
async function once(folder: string, text: string, install: () => Promise<unknown>): Promise<void> {
  const mark = join(folder, '.installed');
  if (existsSync(mark) && (await readFile(mark, 'utf8')) === text) return;
  rmSync(folder, { recursive: true, force: true });
  await install();
  mkdirSync(folder, { recursive: true });
  writeFileSync(mark, text);
}

/** Folder whose node_modules holds the Node clients. */
export async function npmClients(): Promise<string> {
  const folder = join(here, 'npm');
  await once(join(folder, 'node_modules'), await readFile(join(folder, 'package-lock.json'), 'utf8'), () =>
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, maxBuffer: MAX_OUTPUT }),
  );
  return folder;
}

/** The interpreter of an environment that holds the Python clients. */
export async function pythonClients(): Promise<string> {
  const venv = join(here, 'python', '.venv');
  const requirements = join(here, 'python', 'requirements.txt');
  await once(venv, await readFile(requirements, 'utf8'), async () => {
    await run('python3', ['-m', 'venv', venv]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
    await run(join(venv, 'bin/python'), pip, { maxBuffer: MAX_OUTPUT });
  });
  return join(venv, 'bin/python');
}
