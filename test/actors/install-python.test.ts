/** Python projects of every kind, planned by the launcher and really installed; each then says what it imported. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPythonLauncher } from '../../launchers/python.ts';
import type { Environment } from '../../machines/contracts.ts';
import { planOf } from '../launchers/plan-of.ts';
import { needsRegistries } from '../support/registries.ts';
import { createHarness, done, failed, type Harness } from './install-harness.ts';

let harness: Harness;

/** As if from an activated venv, with settings that send a careless installer elsewhere (trap 21). */
const traps = {
  VIRTUAL_ENV: '/nowhere',
  PYTHONHOME: '/nowhere',
  PYTHONPATH: '/nowhere',
  PIP_TARGET: '/nowhere',
  PIP_PREFIX: '/nowhere',
  UV_PROJECT_ENVIRONMENT: '/nowhere',
  UV_PYTHON: '2.7',
  POETRY_VIRTUALENVS_PATH: '/nowhere',
};

beforeEach(async () => {
  harness = await createHarness(traps, [createPythonLauncher()]);
});

afterEach(() => harness[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string>>;

const installed = async (files: Files): Promise<Environment> =>
  done(harness.install(await harness.checkout(files), planOf(files)));

/** What the first candidate prints. */
async function output({ dir, plan }: Environment): Promise<string> {
  const [first] = plan.start;
  if (first === undefined) throw new Error('nothing to start');
  const { program, args, cwd, env = {} } = first.command;
  const options = { cwd: join(dir, cwd), env: { PATH: process.env.PATH, ...plan.env, ...env } };
  return (await promisify(execFile)(join(dir, program), args, options)).stdout.trim();
}

/** Not a server, so that it takes no SDK to install; it looks like one. */
const MODULE = `import iniconfig
# from mcp.server
def main():
    if "never" == "now": mcp.run()
    print("main of", __name__, "with", iniconfig.__name__)
`;
const PACKAGE = { 'tiny_w/__init__.py': MODULE };
const SCRIPT = '[project.scripts]\ntiny-w = "tiny_w:main"\n';
const PROJECT =
  '[project]\nname = "tiny-w"\nversion = "0.1.0"\nrequires-python = ">=3.10"\ndependencies = ["iniconfig>=2"]\n';
const backend = (requires: string, name: string, more = '') =>
  `${PROJECT}${SCRIPT}[build-system]\nrequires = ["${requires}"]\nbuild-backend = "${name}"\n${more}`;
const SAID = 'main of tiny_w with iniconfig';

describe('a project without a lock (trap 17)', () => {
  needsRegistries('pypi');

  it.each<[string, Files]>([
    ['hatchling', { 'pyproject.toml': backend('hatchling', 'hatchling.build') }],
    ['setuptools', { 'pyproject.toml': backend('setuptools>=61', 'setuptools.build_meta') }],
    [
      'flit',
      {
        'pyproject.toml': backend(
          'flit_core>=3.2',
          'flit_core.buildapi',
          '[tool.flit.module]\nname = "tiny_w"\n',
        ).replace('version = "0.1.0"\n', 'version = "0.1.0"\ndescription = "x"\n'),
      },
    ],
    ['pdm-backend', { 'pyproject.toml': backend('pdm-backend', 'pdm.backend') }],
    ['poetry-core', { 'pyproject.toml': backend('poetry-core>=2', 'poetry.core.masonry.api') }],
    [
      'setup.py',
      {
        'setup.py':
          'from setuptools import setup\nsetup(name="tiny-w", version="0.1", packages=["tiny_w"], install_requires=["iniconfig"], entry_points={"console_scripts": ["tiny-w = tiny_w:main"]})\n',
      },
    ],
    [
      'setup.cfg and a requirements.txt',
      {
        'setup.cfg':
          '[metadata]\nname = tiny-w\nversion = 0.1\n[options]\npackages = tiny_w\n[options.entry_points]\nconsole_scripts =\n    tiny-w = tiny_w:main\n',
        'setup.py': 'from setuptools import setup\nsetup()\n',
        'requirements.txt': 'iniconfig\n',
      },
    ],
    [
      'Poetry’s own tables',
      {
        'pyproject.toml':
          '[tool.poetry]\nname = "tiny-w"\nversion = "0.1.0"\ndescription = ""\nauthors = []\npackages = [{include = "tiny_w"}]\n[tool.poetry.dependencies]\npython = "^3.10"\niniconfig = "^2.0"\n[tool.poetry.scripts]\ntiny-w = "tiny_w:main"\n[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
      },
    ],
  ])('of %s gets its console script, from its own venv (trap 20: never into a system’s Python)', async (_, files) => {
    const environment = await installed({ ...files, ...PACKAGE });
    expect(environment.rung).toBe('uv-pip');
    expect(environment.plan.start[0]?.id).toBe('script:tiny-w');
    expect(environment.programs.python).toBe(join(environment.dir, '.venv/bin/python'));
    expect(await output(environment)).toBe(SAID);
  });

  it('keeps its script though a requirements.txt lies beside it (trap 16)', async () => {
    const files = {
      'pyproject.toml': backend('hatchling', 'hatchling.build'),
      'requirements.txt': 'pluggy\n',
      ...PACKAGE,
    };
    expect(await output(await installed(files))).toBe(SAID);
  });

  it('and without a build system runs from its sources, under a name with a hyphen (trap 18)', async () => {
    const environment = await installed({ 'pyproject.toml': PROJECT + SCRIPT, ...PACKAGE });
    expect(environment.plan.start[0]?.id).toBe('source:tiny-w');
    expect(await output(environment)).toBe(SAID);
  });

  it('runs from its sources where its build is broken', async () => {
    const broken = backend(
      'hatchling',
      'hatchling.build',
      '[tool.hatch.build.targets.wheel]\npackages = ["missing"]\nbogus = [1\n',
    )
      .replace('bogus = [1\n', '[tool.hatch.version]\npath = "missing.py"\n')
      .replace('version = "0.1.0"\n', 'dynamic = ["version"]\n');
    const environment = await installed({ 'pyproject.toml': broken, ...PACKAGE });
    expect(environment.rung).toBe('uv-pip-dependencies');
    expect(await output(environment)).toBe(SAID);
  });
});

describe('a list of requirements', () => {
  needsRegistries('pypi');
  const server = { 'server.py': `${MODULE}main()\n` };
  const SAID_FILE = 'main of __main__ with iniconfig';

  it.each<[string, string, Files]>([
    ['a Pipfile', 'uv-pip-listed', { Pipfile: '[packages]\niniconfig = "*"\n' }],
    [
      'a Pipfile.lock',
      'pins',
      {
        Pipfile: '[packages]\niniconfig = "*"\n',
        'Pipfile.lock': '{"_meta": {}, "default": {"iniconfig": {"version": "==2.0.0"}}, "develop": {}}',
      },
    ],
    [
      'requirements/prod.txt',
      'uv-pip-requirements',
      { 'requirements/prod.txt': '-r base.txt\n', 'requirements/base.txt': 'iniconfig\n' },
    ],
    [
      'a conda environment',
      'uv-pip-listed',
      { 'environment.yml': 'dependencies:\n  - pip\n  - pip:\n    - iniconfig\n' },
    ],
    ['a frozen list of Windows', 'uv-pip-sifted', { 'requirements.txt': 'iniconfig==2.0.0\npywin32==306\n' }],
    ['the README', 'uv-pip-listed', { 'README.md': '```\npip install iniconfig\n```\n' }],
  ])('in %s is installed', async (_, rung, files) => {
    const environment = await installed({ ...server, ...files });
    expect(environment.rung).toBe(rung);
    expect(await output(environment)).toBe(SAID_FILE);
  });

  it('in a script’s own header is installed, for a Python that it wants', async () => {
    const header = '# /// script\n# requires-python = ">=3.10"\n# dependencies = ["iniconfig"]\n# ///\n';
    const environment = await installed({ 'server.py': `${header}${MODULE}main()\n` });
    expect(await output(environment)).toBe(SAID_FILE);
  });

  it('in UTF-16 is read', async () => {
    const files = { ...server, 'requirements.txt': 'iniconfig\n' };
    const dir = await harness.checkout(server);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(
      join(dir, 'requirements.txt'),
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('iniconfig\r\n', 'utf16le')]),
    );
    const plan = planOf({
      ...files,
      'requirements.txt': '\uFFFD\uFFFDi\u0000n\u0000i\u0000c\u0000o\u0000n\u0000f\u0000i\u0000g\u0000\r\u0000\n\u0000',
    });
    expect(await output(await done(harness.install(dir, plan)))).toBe(SAID_FILE);
  });
});

describe('a lock', () => {
  needsRegistries('pypi');
  const lock = (groups: string) =>
    `[metadata]\nlock_version = "4.5.0"\n[[package]]\nname = "iniconfig"\nversion = "2.0.0"\n${groups}`;

  it('of PDM is kept to', async () => {
    const files = {
      'pyproject.toml': backend('pdm-backend', 'pdm.backend'),
      'pdm.lock': lock('groups = ["default"]\n'),
      ...PACKAGE,
    };
    const environment = await installed(files);
    expect(environment.rung).toBe('pins');
    const show = ['-c', 'from importlib.metadata import version; print(version("iniconfig"))'];
    const { stdout } = await promisify(execFile)(environment.programs.python!, show);
    expect(stdout.trim()).toBe('2.0.0');
    expect(await output(environment)).toBe(SAID);
  });

  it('that pins what the registry does not have gives way to what it has', async () => {
    const gone = lock('groups = ["default"]\n').replace('2.0.0', '2.0.999');
    const files = { 'pyproject.toml': backend('pdm-backend', 'pdm.backend'), 'pdm.lock': gone, ...PACKAGE };
    const environment = await installed(files);
    expect(environment.rung).toBe('uv-pip');
    expect(environment.fallbacks).toMatchObject([{ tried: 'pins', cause: 'version-not-found' }]);
  });
});

describe('what the source needs', () => {
  needsRegistries('pypi');

  it('beyond its lists gets in: an extra, and a folder that it logs into', async () => {
    const files = {
      'pyproject.toml': `${backend('hatchling', 'hatchling.build').replace('["iniconfig>=2"]', '[]')}[project.optional-dependencies]\nserver = ["iniconfig"]\n`,
      'tiny_w/__init__.py': `import logging\nlogging.FileHandler("logs/w.log")\n${MODULE}`,
    };
    expect(await output(await installed(files))).toBe(SAID);
  });

  it('of a repository that can not be reached is named', async () => {
    const files = {
      'pyproject.toml': backend('hatchling', 'hatchling.build').replace(
        '"iniconfig>=2"',
        '"acme @ git+http://127.0.0.1:9/acme.git"',
      ),
      ...PACKAGE,
    };
    const failure = await failed(harness.install(await harness.checkout(files), planOf(files)));
    expect(failure).toMatchObject({
      code: 'INSTALL_NETWORK',
      message: expect.stringContaining('http://127.0.0.1:9/acme.git'),
    });
  });
});
