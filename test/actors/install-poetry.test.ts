/** The real Poetry, fetched into the home, on a lock that it wrote itself; its index is one of the test's own. */

import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPythonLauncher } from '../../launchers/python.ts';
import type { Environment } from '../../machines/contracts.ts';
import { planOf } from '../launchers/plan-of.ts';
import { needsRegistries } from '../support/registries.ts';
import { createHarness, done, type Harness } from './install-harness.ts';

const run = promisify(execFile);
const TIME = 120_000;

let harness: Harness;
let cache: string;
let index: Server;
let url: string;

/** An index with wheels of one empty module each. */
async function startIndex(dir: string, names: readonly string[]): Promise<Server> {
  await mkdir(dir, { recursive: true });
  const script = `import sys, zipfile
for name in sys.argv[1:]:
    info, wheel = f'{name}-1.0.dist-info', zipfile.ZipFile(f'{name}-1.0-py3-none-any.whl', 'w')
    wheel.writestr(f'{name}.py', '')
    wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
    wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(f'{info}/RECORD', ''.join(f'{path},,\\n' for path in [f'{name}.py', f'{info}/METADATA', f'{info}/WHEEL', f'{info}/RECORD']))
    wheel.close()
`;
  await run('python3', ['-c', script, ...names], { cwd: dir });
  const server = createServer(({ url: path = '' }, response) => {
    const [name = '', file] = path.replace(/^\/simple\//, '').split('/');
    if (!names.includes(name)) return void response.writeHead(404).end();
    const wheel = `${name}-1.0-py3-none-any.whl`;
    if (file === wheel) return void createReadStream(join(dir, wheel)).pipe(response);
    response.setHeader('content-type', 'text/html').end(`<a href="/simple/${name}/${wheel}">${wheel}</a>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

beforeEach(async () => {
  // Poetry remembers an index by its name, which is that of the last test's, too.
  cache = await mkdtemp(join(tmpdir(), 'mcps-poetry-'));
  harness = await createHarness({ POETRY_CACHE_DIR: cache }, [createPythonLauncher()]);
  index = await startIndex(join(harness.home.root, 'index'), ['tinya', 'tinyb', 'tinyc', 'tinyd']);
  url = `http://127.0.0.1:${(index.address() as AddressInfo).port}/simple/`;
});

afterEach(async () => {
  await new Promise((resolve) => index.close(resolve));
  await harness[Symbol.asyncDispose]();
  await rm(cache, { recursive: true, force: true });
});

const manifest = (more = '') => `[tool.poetry]
name = "tiny-w"
version = "0.1.0"
description = ""
authors = []
packages = [{include = "tiny_w"}]
[tool.poetry.dependencies]
python = "^3.10"
tinya = "^1.0"
tinyb = {version = "^1.0", optional = true}
[tool.poetry.extras]
server = ["tinyb"]
[tool.poetry.group.dev.dependencies]
tinyc = "*"
[tool.poetry.scripts]
tiny-w = "tiny_w:main"
[[tool.poetry.source]]
name = "near"
url = "${url}"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
${more}`;

const MODULE = `import tinya
# from mcp.server
from importlib.util import find_spec
def main():
    print([name for name in ["tinya", "tinyb", "tinyc", "tinyd"] if find_spec(name)])
`;

/** The project with the lock that Poetry writes for it. */
async function locked(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const provided = await harness.context.runtimes.provide(
    [{ name: 'poetry', version: null }],
    new AbortController().signal,
  );
  if (!provided.ok) throw new Error(provided.failure.message);
  const dir = await harness.checkout(files, 'locking');
  await run(provided.toolset.programs.poetry ?? '', ['lock', '--no-interaction'], { cwd: dir, env: harness.home.env });
  return { ...files, 'poetry.lock': await readFile(join(dir, 'poetry.lock'), 'utf8') };
}

async function output({ dir, plan }: Environment): Promise<string> {
  const { program, args } = plan.start[0]!.command;
  return (await run(join(dir, program), [...args], { cwd: dir })).stdout.trim();
}

describe('a project with a lock of Poetry’s', () => {
  needsRegistries('pypi');

  it(
    'is installed by it: without its development group, with the extra that it imports',
    async () => {
      const files = await locked({
        'pyproject.toml': manifest(),
        'tiny_w/__init__.py': `import tinyb\n${MODULE}`,
      });
      const environment = await done(harness.install(await harness.checkout(files), planOf(files)));
      expect(environment).toMatchObject({ rung: 'poetry-install', fallbacks: [] });
      expect(environment.plan.start[0]?.id).toBe('script:tiny-w');
      expect(await output(environment)).toBe("['tinya', 'tinyb']");
    },
    TIME,
  );

  it(
    'that is stale is installed as it pins, by uv, from the index that the project names',
    async () => {
      const files = await locked({ 'pyproject.toml': manifest(), 'tiny_w/__init__.py': MODULE });
      const changed = { ...files, 'pyproject.toml': manifest('\n').replace('tinyc = "*"', 'tinyc = ">=1"') };
      const environment = await done(harness.install(await harness.checkout(changed), planOf(changed)));
      expect(environment.rung).toBe('pins');
      expect(environment.fallbacks).toMatchObject([{ tried: 'poetry-install', cause: 'lock-out-of-date' }]);
      expect(await output(environment)).toBe("['tinya']");
    },
    TIME,
  );
});
