import { describe, expect, it } from 'vitest';
import type { LaunchPlan } from '../../launchers/plan.ts';
import { json, planOf, rungs, toolOf } from './plan-of.ts';

const SERVER = 'from mcp.server import MCPServer\nmcp = MCPServer("x")\nif __name__ == "__main__":\n    mcp.run()\n';
const BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n';
const pyproject = (fields: string, rest = BUILD): string => `[project]\nname = "w"\nversion = "1"\n${fields}\n${rest}`;
const SCRIPT = '[project.scripts]\nw = "w:main"\n';
const POETRY = `[tool.poetry]
name = "w"
[tool.poetry.dependencies]
python = "^3.10"
mcp = {version = "^2.0", extras = ["cli"]}
httpx = {version = "*", optional = true}
[tool.poetry.extras]
web = ["httpx"]
[tool.poetry.scripts]
w = "w:main"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
`;

const says = ({ evidence }: LaunchPlan): string[] => evidence.map((each) => each.says);
/** Words of the last step of a rung, without those that all have in common. */
const words = ({ install }: LaunchPlan, id: string): string[] => {
  const step = install.find((each) => each.id === id)?.steps.at(-1);
  return (step?.args ?? []).filter((word) => !['pip', 'install', '--python', '.venv/bin/python'].includes(word));
};

describe('locks that uv does not read', () => {
  it('are installed as what they pin: Pipfile.lock, with extras, markers, repositories and a private index', () => {
    const lock = {
      _meta: {
        requires: { python_version: '3.12' },
        sources: [{ url: 'https://pypi.python.org/simple' }, { url: 'https://pkgs.example/simple' }],
      },
      default: {
        mcp: { version: '==2.3.0', extras: ['cli'], hashes: ['sha256:0'] },
        colorama: { version: '==0.4.6', markers: "sys_platform == 'win32'" },
        own: { git: 'https://git.example/own.git', ref: 'abc' },
        w: { path: '.', editable: true },
      },
      develop: { pytest: { version: '==8.0' } },
    };
    const plan = planOf({ Pipfile: '[packages]\nmcp = "*"\n', 'Pipfile.lock': json(lock), 'main.py': SERVER });
    expect(rungs(plan)).toEqual(['pins', 'uv-pip-listed']);
    expect(plan.install[0]?.frozen).toBe(true);
    expect(words(plan, 'pins')).toEqual([
      '--index',
      'https://pkgs.example/simple',
      'mcp[cli]==2.3.0',
      "colorama==0.4.6 ; sys_platform == 'win32'",
      'own @ git+https://git.example/own.git@abc',
    ]);
    expect(toolOf(plan, 'python')?.version).toBe('==3.12.*');
    expect(says(plan)).toContain('is Pipenv’s lock');
  });

  it.each<[string, string, string[]]>([
    [
      'by their groups',
      '[[package]]\nname = "mcp"\nversion = "2.3.0"\ngroups = ["default"]\nmarker = "python_version >= \\"3.10\\""\n[[package]]\nname = "pytest"\nversion = "8.0"\ngroups = ["test"]\n',
      ['.', 'mcp==2.3.0 ; python_version >= "3.10"'],
    ],
    [
      'by what leads to them, in older ones',
      '[[package]]\nname = "mcp"\nversion = "2.3.0"\ndependencies = ["anyio>=4"]\n[[package]]\nname = "anyio"\nversion = "4.9"\n[[package]]\nname = "pytest"\nversion = "8.0"\n',
      ['.', 'mcp==2.3.0', 'anyio==4.9'],
    ],
  ])('are installed as what they pin: pdm.lock, %s', (_, lock, expected) => {
    const plan = planOf({
      'pyproject.toml': pyproject(`dependencies = ["mcp"]\n${SCRIPT}`),
      'pdm.lock': lock,
      'w/__init__.py': '',
    });
    expect(rungs(plan)).toEqual(['pins', 'uv-pip', 'uv-pip-dependencies']);
    expect(words(plan, 'pins')).toEqual(expected);
  });

  it('come after Poetry itself where it is Poetry’s', () => {
    const lock =
      '[[package]]\nname = "mcp"\nversion = "2.3.0"\noptional = false\ngroups = ["main"]\n[[package]]\nname = "black"\nversion = "24"\ngroups = ["dev"]\n[[package]]\nname = "pywin32"\nversion = "306"\ngroups = ["main"]\nmarkers = "sys_platform == \'win32\'"\n';
    const plan = planOf({ 'pyproject.toml': POETRY, 'poetry.lock': lock, 'w/__init__.py': '' });
    expect(rungs(plan)).toEqual(['poetry-install', 'pins', 'uv-pip', 'uv-pip-dependencies']);
    expect(plan.install[0]?.steps.at(-1)?.args).toEqual(['install', '--only', 'main', '--no-interaction', '--no-ansi']);
    expect(words(plan, 'pins')).toEqual(['.', 'mcp==2.3.0', "pywin32==306 ; sys_platform == 'win32'"]);
    expect(words(plan, 'uv-pip-dependencies')).toEqual(['mcp>=2.0,<3']);
    expect(toolOf(plan, 'poetry')).toBeDefined();
  });

  it('are passed by when they lack a declared dependency', () => {
    const lock = '[[package]]\nname = "anyio"\nversion = "4.9"\ngroups = ["default"]\n';
    const plan = planOf({ 'pyproject.toml': pyproject(`dependencies = ["mcp"]\n${SCRIPT}`), 'pdm.lock': lock });
    expect(rungs(plan)).toEqual(['uv-pip', 'uv-pip-dependencies']);
    expect(says(plan)).toContain('is stale: it does not have mcp');
  });

  it('are read by uv where they are pylock.toml', () => {
    const plan = planOf({ 'pyproject.toml': pyproject(`dependencies = ["mcp"]\n${SCRIPT}`), 'pylock.toml': '' });
    expect(plan.install[0]?.steps.slice(1).map(({ args }) => args.slice(4))).toEqual([
      ['-r', 'pylock.toml'],
      ['--no-deps', '.'],
    ]);
  });
});

describe('requirements without a lock', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'of a Pipfile',
      {
        Pipfile: '[packages]\nmcp = ">=2"\nhttpx = {version = "*", extras = ["http2"]}\n[dev-packages]\npytest = "*"\n',
      },
      ['mcp>=2', 'httpx[http2]'],
    ],
    [
      'of the production list',
      { 'requirements/prod.txt': 'mcp\n', 'requirements/dev.txt': 'pytest' },
      ['-r', 'requirements/prod.txt'],
    ],
    [
      'of a list for the server alone',
      { 'requirements-server.txt': 'mcp\n', 'requirements-dev.txt': 'pytest' },
      ['-r', 'requirements-server.txt'],
    ],
    [
      'of a list that is not for development',
      { 'requirements-linux.txt': 'mcp', 'requirements_test.txt': 'pytest' },
      ['-r', 'requirements-linux.txt'],
    ],
    [
      'in UTF-16, as PowerShell writes them',
      { 'requirements.txt': '\uFFFD\uFFFDm\u0000c\u0000p\u0000\r\u0000\n\u0000' },
      ['mcp'],
    ],
    [
      'of a conda environment',
      {
        'environment.yml':
          'dependencies:\n  - python=3.11\n  - numpy=1.26\n  - conda-forge::httpx\n  - cudatoolkit=12\n  - pip\n  - pip:\n      - mcp>=2\n',
      },
      ['numpy==1.26.*', 'httpx', 'mcp>=2'],
    ],
    ['of pixi', { 'pixi.toml': '[dependencies]\npython = ">=3.11"\n[pypi-dependencies]\nmcp = ">=2"\n' }, ['mcp>=2']],
    [
      'of a script’s own header',
      {
        'main.py': `# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#   "mcp>=2",\n# ]\n# ///\n${SERVER}`,
      },
      ['mcp>=2'],
    ],
    [
      'that only the README tells',
      { 'README.md': 'First:\n\n```sh\npip install "mcp[cli]" httpx\n```\n' },
      ['mcp[cli]', 'httpx'],
    ],
    ['that nothing tells, for what everybody knows', {}, ['mcp']],
  ])('%s are installed', (_, files, expected) => {
    const plan = planOf({ 'main.py': SERVER, ...files });
    expect(words(plan, plan.install[0]?.id ?? '')).toEqual(expected);
  });

  it('of a script’s header say which Python, too', () => {
    const plan = planOf({
      'main.py': `# /// script\n# requires-python = ">=3.12"\n# dependencies = ["mcp"]\n# ///\n${SERVER}`,
    });
    expect(toolOf(plan, 'python')?.version).toBe('>=3.12');
  });

  it('that no index has for this system are left out when they were in the way', () => {
    const plan = planOf({ 'requirements.txt': 'mcp==2.3.0\npywin32==306\nasyncio\n', 'main.py': SERVER });
    expect(rungs(plan)).toEqual(['uv-pip-requirements', 'uv-pip-sifted']);
    expect(words(plan, 'uv-pip-sifted')).toEqual(['mcp==2.3.0']);
  });

  it('beside a manifest that declares none are what it needs (trap 16 the other way round)', () => {
    const plan = planOf({
      'pyproject.toml': pyproject('dependencies = []\n', ''),
      'requirements.txt': 'mcp\n',
      'main.py': SERVER,
    });
    expect(rungs(plan)).toEqual(['uv-pip-requirements']);
  });

  it('beside what is started, below a root that lists none', () => {
    const plan = planOf({ 'setup.py': '# asks questions', 'app/server.py': SERVER, 'app/requirements.txt': 'mcp\n' });
    expect(words(plan, 'uv-pip-requirements')).toEqual(['-r', 'app/requirements.txt']);
  });

  it('from repositories are never taken from the index, where another package may have that name', () => {
    const sources = `${BUILD}[tool.uv.sources]\nacme = {git = "https://git.example/acme.git"}\n`;
    const plan = planOf({ 'pyproject.toml': pyproject(`dependencies = ["mcp", "acme"]\n${SCRIPT}`, sources) });
    expect(JSON.stringify(plan.install)).not.toContain('--no-sources');
  });
});

describe('an index of the project’s own', () => {
  it('that can not be reached gives way to the user’s', () => {
    const index = `${BUILD}[[tool.uv.index]]\nurl = "https://pkgs.example/simple"\ndefault = true\n`;
    const plan = planOf({ 'pyproject.toml': pyproject(`dependencies = ["mcp"]\n${SCRIPT}`, index) });
    expect(plan.install.at(-1)).toMatchObject({ id: 'uv-pip-own-index', cures: ['network'] });
    expect(plan.install.at(-1)?.steps.at(-1)?.args).toContain('--no-config');
  });
});

describe('what the source needs beyond its lists', () => {
  const project = (dependencies: string, more = '') => ({
    'pyproject.toml': pyproject(`dependencies = [${dependencies}]\n${more}${SCRIPT}`),
  });
  const init = (text: string) => ({ 'w/__init__.py': `from .server import main\n`, 'w/server.py': text });
  const V1 = 'from mcp.server.fastmcp import FastMCP\nmcp = FastMCP("x")\ndef main():\n    mcp.run()\n';

  it('is an older major, where it uses what the newest no longer has', () => {
    const plan = planOf({ ...project('"mcp>=1.4"'), ...init(V1) });
    expect(words(plan, 'uv-pip')).toEqual(['.', 'mcp<2']);
    expect(plan.evidence).toContainEqual({
      file: 'w/server.py',
      line: 1,
      says: 'imports mcp.server.fastmcp, which mcp 2 no longer has: mcp<2 is installed',
    });
  });

  it.each<[string, string, string, string[]]>([
    [
      'by its decorators',
      '"mcp"',
      'from mcp.server import Server\napp = Server("x")\n@app.list_tools()\nasync def tools(): ...\n',
      ['.', 'mcp<2'],
    ],
    [
      'by arguments of FastMCP',
      '"fastmcp"',
      'from fastmcp import FastMCP\nmcp = FastMCP("x", dependencies=["a"])\n',
      ['.', 'fastmcp<2.14'],
    ],
    [
      'by the tightest of several',
      '"fastmcp>=2"',
      'from fastmcp import FastMCP\nmcp = FastMCP(\n    "x",\n    port=int(os.environ["P"]),\n    dependencies=["a"],\n)\n',
      ['.', 'fastmcp<2.14'],
    ],
    [
      'by an argument that moved',
      '"fastmcp>=2"',
      'from fastmcp import FastMCP\nmcp = FastMCP("x", port=1)\n',
      ['.', 'fastmcp<3'],
    ],
    [
      'not where it asks for a newer one',
      '"fastmcp>=2.14"',
      'from fastmcp import FastMCP\nmcp = FastMCP("x", dependencies=["a"])\n',
      ['.'],
    ],
    ['not where its authors bound it', '"mcp>=1.4,<1.9"', V1, ['.']],
    ['not where it is pinned', '"mcp==1.9.0"', V1, ['.']],
    ['not where it asks for the new one', '"mcp>=2"', V1, ['.']],
    [
      'not for an import that it can do without',
      '"mcp"',
      `try:\n    ${V1.split('\n')[0]}\nexcept ImportError:\n    pass\n`,
      ['.'],
    ],
  ])('is an older major, %s', (_, dependencies, text, expected) => {
    expect(words(planOf({ ...project(dependencies), ...init(text) }), 'uv-pip')).toEqual(expected);
  });

  it('is an older major after a sync without a lock, too', () => {
    const lock = 'version = 1\n[[package]]\nname = "httpx"\n';
    const plan = planOf({ ...project('"mcp>=1.4"'), ...init(V1), 'uv.lock': lock });
    expect(plan.install[0]).toMatchObject({ id: 'uv-sync', cures: 'any' });
    expect(plan.install[0]?.afterwards?.map(({ args }) => args.at(-1))).toEqual(['mcp<2']);
  });

  it('is left to a lock that is there', () => {
    const lock = 'version = 1\n[[package]]\nname = "mcp"\nversion = "1.9.0"\n';
    const plan = planOf({ ...project('"mcp>=1.4"'), ...init(V1), 'uv.lock': lock });
    expect(plan.install[0]).toMatchObject({ id: 'uv-sync-frozen', frozen: true });
    expect(says(plan).join()).not.toContain('no longer has');
  });

  it('is the extra that brings what it imports', () => {
    const extras =
      '[project.optional-dependencies]\nserver = ["mcp>=2"]\ndev = ["pytest", "mcp"]\nall = ["mcp", "torch"]\n';
    const text = 'from mcp.server import MCPServer\nmcp = MCPServer("x")\n';
    const plan = planOf({ ...project('"httpx"', extras), ...init(text) });
    expect(words(plan, 'uv-pip')).toEqual(['.[server]']);
    expect(words(plan, 'uv-pip-dependencies')).toEqual(['-r', 'pyproject.toml', '--extra', 'server']);
    expect(plan.evidence).toContainEqual({
      file: 'w/server.py',
      line: 1,
      says: 'imports mcp, which the extra server brings',
    });
    const locked = planOf({ ...project('"httpx"', extras), ...init(text), 'uv.lock': 'version = 1' });
    expect(locked.install[0]?.steps[1]?.args).toEqual(['sync', '--frozen', '--no-dev', '--extra', 'server']);
  });

  it('is the dependency group that brings what it imports', () => {
    const groups = `[dependency-groups]\nserver = ["mcp>=2"]\n${SCRIPT}`;
    const text = 'from mcp.server import MCPServer\nmcp = MCPServer("x")\n';
    const manifest = `[project]\nname = "w"\nversion = "1"\ndependencies = ["httpx"]\n${groups}${BUILD}`;
    const plan = planOf({ 'pyproject.toml': manifest, ...init(text), 'uv.lock': 'version = 1' });
    expect(plan.install[0]?.steps[1]?.args).toContain('--group');
  });

  it('is a package that it forgot, if everybody knows its name; others are not guessed', () => {
    const text =
      'import httpx\nimport acme_internal\nimport os\nfrom . import helper\nfrom mcp.server import MCPServer\nmcp = MCPServer("x")\n';
    const plan = planOf({ ...project('"mcp>=2"'), ...init(text), 'w/helper.py': 'import yaml\n' });
    const first = plan.install[0];
    expect(first?.afterwards?.map(({ args }) => args.at(-1))).toEqual(['httpx', 'pyyaml']);
    expect(plan.evidence).toContainEqual({
      file: 'w/server.py',
      line: 1,
      says: 'imports httpx, which is not declared: httpx is installed as well',
    });
  });

  it('is a folder that it logs into', () => {
    const text =
      'import logging\nlogging.FileHandler("logs/w.log")\nfrom mcp.server import MCPServer\nmcp = MCPServer("x")\n';
    const plan = planOf({ ...project('"mcp>=2"'), ...init(text) });
    expect(plan.install[0]?.steps.at(-1)).toMatchObject({
      program: 'python',
      args: ['-c', expect.any(String), 'logs'],
    });
    const made = planOf({ ...project('"mcp>=2"'), ...init(`${text}os.makedirs("logs")\n`) });
    expect(made.install[0]?.steps.at(-1)?.program).toBe('uv');
  });
});

describe('the Python of a project', () => {
  const files = { 'pyproject.toml': pyproject(`requires-python = ">=3.10"\ndependencies = ["mcp"]\n${SCRIPT}`) };
  const wheel = (name: string, ...minors: number[]) =>
    `[[package]]\nname = "${name}"\nversion = "1"\nwheels = [\n${minors.map((minor) => `{ url = "${name}-1-cp3${minor}-cp3${minor}-manylinux_2_17_x86_64.whl" },`).join('\n')}\n]\n`;

  it.each<[string, Record<string, string>, string | undefined]>([
    ['the one that .python-version names', { '.python-version': '3.12.4\n' }, '==3.12.*'],
    ['none without a word of it', {}, undefined],
    [
      'one for which every locked package has a wheel',
      { 'uv.lock': wheel('a', 11, 12, 13) + wheel('mcp', 12, 13, 14) },
      '<3.14',
    ],
    [
      'what fastmcp.json names',
      { 'fastmcp.json': '{"source": {"path": "s.py"}, "environment": {"python": "3.11"}}', 's.py': SERVER },
      '==3.11.*',
    ],
  ])('is, of those that fit, %s', (_, more, prefers) => {
    expect(toolOf(planOf({ ...files, ...more }), 'python')).toEqual({
      name: 'python',
      version: '>=3.10',
      ...(prefers === undefined ? {} : { prefers }),
    });
  });

  it.each([
    [undefined, '==3.12.*'],
    ['>=3.10', '==3.12.*'],
    ['>=3.13,<4', '==3.13.*'],
    ['>=3.10,<3.12', undefined],
    ['==3.11.*', undefined],
    ['^3.11', '==3.12.*'],
  ])('is the usual one when another was too old or too new: of %s %s', (requires, expected) => {
    const more = requires === undefined ? '' : `requires-python = "${requires}"\n`;
    const plan = planOf({ 'pyproject.toml': pyproject(`${more}dependencies = ["mcp"]\n${SCRIPT}`) });
    expect(plan.newerTools?.[0]?.version).toBe(expected);
  });
});
