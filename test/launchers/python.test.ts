import { describe, expect, it } from 'vitest';
import { createPythonLauncher } from '../../launchers/python.ts';
import { createFileView } from '../support/file-view.ts';
import { planOf, refusalOf, rungs, starts, toolOf } from './plan-of.ts';

const BUILD = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n';
const project = (fields = '', rest = BUILD): string =>
  `[project]\nname = "mcp-weather"\nversion = "1.0"\ndependencies = ["mcp>=1.4"]\n${fields}\n${rest}`;
const SCRIPT = '[project.scripts]\nmcp-weather = "mcp_weather:main"\n';
const PACKAGE = { 'src/mcp_weather/__init__.py': 'def main(): ...' };
const PYTHON = '.venv/bin/python';

describe('the install of a Python project', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'uv’s lock first',
      { 'pyproject.toml': project(SCRIPT), 'uv.lock': 'version = 1', 'requirements.txt': 'mcp' },
      ['uv-sync-frozen', 'uv-sync', 'uv-pip', 'uv-pip-dependencies'],
    ],
    [
      'Poetry by its lock',
      {
        'pyproject.toml':
          '[tool.poetry]\nname = "w"\n[tool.poetry.dependencies]\nmcp = "*"\n[tool.poetry.scripts]\nw = "w:main"\n[build-system]\nrequires = ["poetry-core"]\n',
        'poetry.lock': '',
      },
      ['poetry-install', 'uv-pip', 'uv-pip-dependencies'],
    ],
    [
      'Poetry without a lock by uv',
      {
        'pyproject.toml':
          '[tool.poetry]\nname = "w"\n[tool.poetry.dependencies]\nmcp = "*"\n[tool.poetry.scripts]\nw = "w:main"\n[build-system]\nrequires = ["poetry-core"]\n',
      },
      ['uv-pip', 'uv-pip-dependencies'],
    ],
    [
      'pyproject before requirements.txt',
      { 'pyproject.toml': project(SCRIPT), 'requirements.txt': 'mcp' },
      ['uv-pip', 'uv-pip-dependencies'],
    ],
    [
      'a project that is no package: its dependencies alone',
      {
        'pyproject.toml': project('', ''),
        'main.py': 'from mcp.server.fastmcp import FastMCP\nFastMCP("x").run()\nmcp.run()',
      },
      ['uv-pip-dependencies'],
    ],
    [
      'setup.py',
      { 'setup.py': 'setup(name="w", install_requires=["mcp"], entry_points={"console_scripts": ["w = w:main"]})' },
      ['uv-pip'],
    ],
    [
      'requirements.txt, also beside a pyproject.toml that only sets up tools',
      {
        'pyproject.toml': '[tool.ruff]\nline-length = 100\n',
        'requirements.txt': 'mcp\n',
        'server.py': 'from mcp.server import Server\nasyncio.run(main())',
      },
      ['uv-pip-requirements'],
    ],
    [
      'nothing but a venv for a lone file',
      {
        'server.py':
          'from http.server import HTTPServer\nHTTPServer(("", 0), H).serve_forever()\nif __name__ == "__main__":\n  main()',
      },
      ['venv'],
    ],
  ])('is %s', (_, files, expected) => {
    expect(rungs(planOf(files))).toEqual(expected);
  });

  it('takes no lock that lacks a dependency: a frozen sync would leave it out and say nothing', () => {
    const lock = (...names: string[]) => names.map((name) => `[[package]]\nname = "${name}"\n`).join('\n');
    const files = (names: string[]) => ({ 'pyproject.toml': project(SCRIPT), 'uv.lock': lock(...names) });
    expect(rungs(planOf(files(['mcp', 'mcp-weather'])))[0]).toBe('uv-sync-frozen');
    const stale = planOf(files(['httpx', 'mcp-weather']));
    expect(rungs(stale)).toEqual(['uv-sync', 'uv-pip', 'uv-pip-dependencies']);
    expect(stale.install[0]?.cures).toBe('any');
    expect(stale.evidence).toContainEqual({ file: 'uv.lock', says: 'is stale: it does not have mcp' });
  });

  it('makes a venv of the interpreter that was chosen, whatever .python-version says', () => {
    const plan = planOf({
      'pyproject.toml': project(`requires-python = ">=3.10"\n${SCRIPT}`),
      'uv.lock': '',
      '.python-version': '3.13',
    });
    expect(plan.install[0]?.steps).toMatchObject([
      { program: 'python', args: ['-m', 'venv', '--clear', '--without-pip', '.venv'] },
      {
        program: 'uv',
        args: ['sync', '--frozen', '--no-dev'],
        env: { UV_PYTHON: PYTHON, UV_PYTHON_DOWNLOADS: 'never' },
      },
    ]);
    expect(toolOf(plan, 'python')).toEqual({ name: 'python', version: '>=3.10', prefers: '==3.13.*' });
    expect(toolOf(plan, 'uv')).toBeDefined();
  });

  it('of a member of a uv workspace goes into the workspace’s venv', () => {
    const plan = planOf(
      {
        'pyproject.toml': '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["servers/*"]\n',
        'uv.lock': '',
        'servers/weather/pyproject.toml': project(SCRIPT),
      },
      { subdir: 'servers/weather' },
    );
    expect(plan.install[0]?.steps[1]).toMatchObject({
      args: ['sync', '--frozen', '--no-dev', '--package', 'mcp-weather'],
      cwd: '',
    });
    expect(plan.start[0]).toMatchObject({
      entry: '.venv/bin/mcp-weather',
      command: { program: PYTHON, args: ['../../.venv/bin/mcp-weather'], cwd: 'servers/weather' },
    });
  });

  it('of a subfolder stays in it', () => {
    const plan = planOf({ 'a/pyproject.toml': project(SCRIPT), 'a/uv.lock': '' }, { subdir: 'a' });
    expect(plan.start[0]?.command).toEqual({
      program: 'a/.venv/bin/python',
      args: ['.venv/bin/mcp-weather'],
      cwd: 'a',
    });
  });
});

describe('the start of a Python project', () => {
  it('is its console script, run by the venv’s Python, with frames flushed at once', () => {
    const plan = planOf({ 'pyproject.toml': project(SCRIPT), ...PACKAGE });
    expect(plan.start[0]).toEqual({
      id: 'script:mcp-weather',
      entry: '.venv/bin/mcp-weather',
      command: { program: PYTHON, args: ['.venv/bin/mcp-weather'], cwd: '' },
    });
    expect(plan.env).toMatchObject({ PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8' });
    expect(plan.confidence).toBe('high');
  });

  it('is the script named like the project, of several', () => {
    const scripts = '[project.scripts]\nweather-setup = "w:setup"\nother = "w:o"\nmcp-weather = "w:main"\n';
    expect(planOf({ 'pyproject.toml': project(scripts) }).start[0]?.id).toBe('script:mcp-weather');
    expect(planOf({ 'pyproject.toml': project(scripts) }).start.map(({ id }) => id)).not.toContain(
      'script:weather-setup',
    );
  });

  it('is what the script would do, where the project is no package', () => {
    const plan = planOf({ 'pyproject.toml': project(SCRIPT, ''), ...PACKAGE });
    expect(plan.start[0]).toMatchObject({
      id: 'source:mcp-weather',
      entry: 'src/mcp_weather/__init__.py',
      command: {
        args: ['-c', 'import sys; from mcp_weather import main; sys.exit(main())'],
        env: { PYTHONPATH: 'src' },
      },
    });
  });

  it.each<[string, Record<string, string>, string[]]>([
    [
      'a package with __main__',
      { 'weather/__main__.py': 'main()', 'run.py': 'import mcp\nmcp.run()', 'verify.py': 'import mcp\nmain()' },
      [`${PYTHON} -m weather`],
    ],
    [
      'main.py before other files',
      {
        'main.py': 'from fastmcp import FastMCP\nmcp = FastMCP("x")\nif __name__ == "__main__":\n    mcp.run()\n',
        'setup_mcp.py': 'from mcp import x\nmain()',
        'bot.py': 'import mcp\nmain()',
      },
      [`${PYTHON} main.py`],
    ],
    [
      'a file named after its topic',
      { 'tides_server.py': 'from mcp.server.fastmcp import FastMCP\nmcp = FastMCP("x")\nmcp.run()\n' },
      [`${PYTHON} tides_server.py`],
    ],
    [
      'a module of a package',
      {
        'src/w/__init__.py': '',
        'src/w/server.py': 'from mcp.server import Server\nif __name__ == "__main__":\n    main()',
      },
      [`${PYTHON} -m w.server`],
    ],
    [
      'the object, for one that nothing runs',
      { 'app.py': 'from fastmcp import FastMCP\nmcp = FastMCP("x")\n' },
      [`${PYTHON} -c from app import mcp as o; o.run()`],
    ],
    [
      'the object itself, for one of the SDK',
      { 'app.py': 'from mcp.server.fastmcp import FastMCP\nsrv = FastMCP("x")\n' },
      [`${PYTHON} -c from app import srv as o; o.run()`],
    ],
    [
      'uvicorn, for a web app that nothing runs',
      { 'main.py': 'from fastapi import FastAPI\napp = FastAPI()\n' },
      [`${PYTHON} -m uvicorn main:app --host {host} --port {port}`],
    ],
  ])('is %s', (_, files, expected) => {
    expect(starts(planOf({ 'pyproject.toml': project('', ''), ...files }))).toEqual(expected);
  });

  it('is nothing for a library, and the refusal says what was looked for', () => {
    const refusal = refusalOf({
      'pyproject.toml': project(),
      'mcp_weather/__init__.py': '',
      'examples/server.py': 'from fastmcp import FastMCP\nmcp = FastMCP("x")\nmcp.run()',
    });
    expect(refusal).toMatchObject({ code: 'DETECT_NOT_A_SERVER', message: expect.stringContaining('mcp-weather') });
    expect(refusal.evidence.map(({ says }) => says)).toContain('depends on mcp, so it may be a library for servers');
  });
});

describe('after the install of a Python project', () => {
  const launcher = createPythonLauncher();
  const info = (name: string, scripts: string) => ({
    [`.venv/lib/python3.11/site-packages/${name}.dist-info/entry_points.txt`]: `[gui_scripts]\ngui = x:y\n\n[console_scripts]\n${scripts}\n\n[other]\nz = q:r\n`,
  });

  it('starts with the scripts that its own distribution has', () => {
    const files = { 'pyproject.toml': project(SCRIPT), ...PACKAGE };
    const view = createFileView({
      ...files,
      ...info('mcp_weather-1.0', 'weather-stdio = mcp_weather:stdio\nmcp-weather = mcp_weather:main'),
      ...info('uvicorn-0.3', 'uvicorn = uvicorn:main'),
      '.venv/bin/mcp-weather': '',
      '.venv/bin/weather-stdio': '',
      '.venv/bin/uvicorn': '',
    });
    const plan = launcher.resolve(view, planOf(files));
    expect(plan.start.map(({ id }) => id)).toEqual(['script:mcp-weather', 'script:weather-stdio']);
  });

  it('still waits for one that its script only calls, as its next way', () => {
    const files = {
      'pyproject.toml': project('[project.scripts]\nw = "w:main"\n'),
      'w.py': 'from mcp.server import Server\nasync def main(): ...',
    };
    const view = createFileView({ ...files, ...info('mcp_weather-1.0', 'w = w:main'), '.venv/bin/w': '' });
    expect(launcher.resolve(view, planOf(files)).start.map(({ id }) => id)).toEqual(['script:w', 'source:w']);
  });

  it('does not start with one that was passed over, whatever its name', () => {
    const scripts = '[project.scripts]\nmcp-weather = "mcp_weather.report:main"\nweather = "mcp_weather.server:main"\n';
    const files = {
      'pyproject.toml': project(scripts),
      'mcp_weather/report.py': 'def main(): ...',
      'mcp_weather/server.py': 'from mcp.server import Server\ndef main(): ...',
    };
    const view = createFileView({
      ...files,
      ...info('mcp_weather-1.0', 'mcp-weather = mcp_weather.report:main\nweather = mcp_weather.server:main'),
      '.venv/bin/mcp-weather': '',
      '.venv/bin/weather': '',
    });
    const plan = launcher.resolve(view, planOf(files));
    expect(plan.start.map(({ id }) => id)).toEqual(['script:weather']);
  });

  it('knows scripts that only setup.py could tell, and gives them the caller’s arguments', () => {
    const files = { 'setup.py': 'from w import NAME\nsetup(name=NAME)', 'main.py': 'import mcp\nmcp.run()' };
    const plan = planOf(files, { overrides: { args: ['--units', 'si'] } });
    const view = createFileView({
      ...files,
      ...info('tides-2.1', 'tides = tides:main'),
      '.venv/lib/python3.11/site-packages/tides-2.1.dist-info/direct_url.json': '{"url": "file:///somewhere"}',
      '.venv/bin/tides': '',
    });
    expect(starts(launcher.resolve(view, plan))).toEqual([
      `${PYTHON} .venv/bin/tides --units si`,
      `${PYTHON} main.py --units si`,
    ]);
  });

  it('leaves a command of the caller alone', () => {
    const files = { 'pyproject.toml': project(SCRIPT) };
    const plan = planOf(files, { overrides: { command: ['python', 'x.py'] } });
    const view = createFileView({
      ...files,
      ...info('mcp_weather-1.0', 'mcp-weather = a:b'),
      '.venv/bin/mcp-weather': '',
    });
    expect(launcher.resolve(view, plan)).toEqual(plan);
  });
});
