// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of fastmcp.json are written so

import { describe, expect, it } from 'vitest';
import { line, planOf, refusalOf, starts } from './plan-of.ts';

const PYTHON = '.venv/bin/python';
const BUILD = '[build-system]\nrequires = ["hatchling"]\n';
const pyproject = (more = '', name = 'mcp-weather'): string =>
  `[project]\nname = "${name}"\nversion = "1"\ndependencies = ["mcp>=2"]\n${more}`;
const OBJECT = 'from mcp.server import MCPServer\nmcp = MCPServer("x")\n';
const GUARDED = `${OBJECT}if __name__ == "__main__":\n    mcp.run()\n`;
const MAIN = `${OBJECT}def main():\n    mcp.run()\n`;
/** What `uv init` writes. */
const STUB = 'def main():\n    print("Hello from weather!")\n\n\nif __name__ == "__main__":\n    main()\n';
const CLIENT =
  'from mcp import ClientSession, StdioServerParameters\nif __name__ == "__main__":\n    asyncio.run(main())\n';

const first = (files: Record<string, string>): string | undefined => starts(planOf(files))[0];

describe('a Python file that serves', () => {
  it.each<[string, Record<string, string>, string]>([
    ['beside the stub of a new project', { 'main.py': STUB, 'weather.py': GUARDED }, 'weather.py'],
    ['beside a client', { 'client.py': CLIENT, 'main.py': CLIENT, 'mcp_server.py': GUARDED }, 'mcp_server.py'],
    [
      'that starts what another file holds',
      { 'main.py': 'from app import mcp\nif __name__ == "__main__":\n    mcp.run()\n', 'app.py': OBJECT },
      'main.py',
    ],
    [
      'that only its documents name',
      { 'zebra.py': GUARDED, 'server.py': GUARDED, 'README.md': 'Run `python zebra.py`.\n' },
      'zebra.py',
    ],
    [
      'that its image starts',
      {
        'one.py': GUARDED,
        'server.py': GUARDED,
        Dockerfile: 'FROM python\nRUN python server.py\nCMD ["python", "one.py"]\n',
      },
      'one.py',
    ],
    [
      'in a folder, with its neighbours',
      { 'server/main.py': `from tools import x\n${GUARDED}`, 'server/tools.py': '', 'server/__init__.py': '' },
      'server/main.py',
    ],
    [
      'of a package, by its relative imports',
      { 'pkg/server.py': `from .tools import x\n${GUARDED}`, 'pkg/tools.py': '' },
      '-m pkg.server',
    ],
    [
      'of src, which is the package itself',
      { 'src/__init__.py': '', 'src/server.py': `from src.tools import x\n${GUARDED}`, 'src/tools.py': '' },
      '-m src.server',
    ],
    [
      'of src, which is only a folder',
      { 'src/__init__.py': '', 'src/server.py': `from tools import x\n${GUARDED}`, 'src/tools.py': '' },
      'src/server.py',
    ],
    [
      'with an object in a part of a package',
      { 'pkg/__init__.py': '', 'pkg/server.py': `from .tools import x\n${OBJECT}`, 'pkg/tools.py': '' },
      '-c from pkg.server import mcp as o; o.run()',
    ],
    [
      'with an object of a class of its own',
      { 'server.py': OBJECT.replace('= MCPServer', '= QuietMCPServer') },
      '-c from server import mcp as o; o.run()',
    ],
    [
      'whose guard only tries it out',
      { 'server.py': `${OBJECT}if __name__ == "__main__":\n    print(add(1, 2))\n` },
      '-c from server import mcp as o; o.run()',
    ],
    [
      'whose name can not be imported',
      { 'my-server.py': OBJECT },
      '-c import runpy; o = runpy.run_path("my-server.py")["mcp"]; o.run()',
    ],
    [
      'with a function that nothing calls',
      { 'server.py': 'from mcp.server import Server\napp = Server("x")\nasync def main():\n    ...\n' },
      '-c import sys; from server import main; import asyncio; asyncio.run(main())',
    ],
    [
      'with an object that a function makes',
      {
        'server.py':
          'from mcp.server import MCPServer\ndef create_server():\n    return MCPServer("x")\nmcp = create_server()\n',
      },
      '-c from server import mcp as o; o.run()',
    ],
    [
      'with a function that makes the object',
      { 'server.py': 'from mcp.server import MCPServer\ndef create_server():\n    return MCPServer("x")\n' },
      '-c from server import create_server as o; import asyncio, inspect; o = o() if inspect.isfunction(o) else o; o = asyncio.run(o) if inspect.iscoroutine(o) else o; o is None or o.run()',
    ],
    [
      'as an ASGI app that a function makes',
      {
        'main.py':
          'from fastapi import FastAPI\nimport mcp.server\ndef create_app():\n    return FastAPI()\napp = create_app()\n',
      },
      '-m uvicorn main:app --host {host} --port {port}',
    ],
    [
      'by Django',
      {
        'manage.py':
          'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")\nif __name__ == "__main__":\n    main()\n',
      },
      'manage.py runserver --noreload {host}:{port}',
    ],
    [
      'as an ASGI app',
      { 'server.py': 'from starlette.applications import Starlette\nimport mcp.server\napp = Starlette()\n' },
      '-m uvicorn server:app --host {host} --port {port}',
    ],
    [
      'as what an MCP object serves by HTTP',
      { 'asgi.py': 'from server import mcp\nimport mcp.server\napp = mcp.streamable_http_app()\n' },
      '-m uvicorn asgi:app --host {host} --port {port}',
    ],
    [
      'as a Flask app',
      { 'server.py': 'from flask import Flask\napp = Flask(__name__)\n' },
      '-m flask --app server:app run --host {host} --port {port}',
    ],
    [
      'of MCP, before a web application beside it',
      {
        'app.py': 'from fastapi import FastAPI\napp = FastAPI()\n',
        'zebra_mcp.py': GUARDED,
        Dockerfile: 'CMD uvicorn app:app\n',
      },
      'zebra_mcp.py',
    ],
  ])('%s is run', (_, files, expected) => {
    expect(first({ 'pyproject.toml': pyproject(), ...files })).toBe(`${PYTHON} ${expected}`);
  });

  it('that is passed over is named with the reason', () => {
    const plan = planOf({ 'pyproject.toml': pyproject(), 'main.py': STUB, 'weather.py': GUARDED });
    expect(plan.passedOver).toContainEqual(
      expect.objectContaining({ file: 'main.py', what: 'main.py', why: 'neither serves nor imports what does' }),
    );
  });
});

describe('a console script', () => {
  const files = (scripts: string, more: Record<string, string> = {}) => ({
    'pyproject.toml': pyproject(`[project.scripts]\n${scripts}${BUILD}`),
    ...more,
  });

  it('whose source has a server in it goes before one like a helper (trap 19)', () => {
    const plan = planOf(
      files('weather = "w.cli:main"\nweather-report = "w.report:main"\nmcp-weather-auth = "w.auth:main"\n', {
        'w/cli.py': 'from .server import main\n',
        'w/server.py': MAIN,
        'w/report.py': 'def main(): ...\n',
        'w/auth.py': MAIN,
      }),
    );
    expect(plan.start.map(({ id }) => id)).toEqual(['script:weather', 'source:weather', 'object:w/server.py']);
    expect(plan.passedOver.map(({ what, why }) => [what, why])).toEqual(
      expect.arrayContaining([
        ['script weather-report', 'its source has no server in it'],
        ['script mcp-weather-auth', 'is named like a helper'],
      ]),
    );
  });

  it('of a project whose name has a hyphen is run by what it imports (trap 18)', () => {
    const plan = planOf({
      'pyproject.toml': pyproject('[project.scripts]\nmcp-weather = "mcp_weather:main"\n'),
      'src/mcp_weather/__init__.py': MAIN,
    });
    expect(plan.start[0]).toMatchObject({
      id: 'source:mcp-weather',
      command: {
        args: ['-c', 'import sys; from mcp_weather import main; sys.exit(main())'],
        env: { PYTHONPATH: 'src' },
      },
    });
  });

  it('that is called without waiting is waited for, where it is run from source', () => {
    const plan = planOf(files('w = "w:main"\n', { 'w/__init__.py': `${OBJECT}async def main():\n    ...\n` }));
    expect(plan.start[1]?.command.args.at(-1)).toContain('asyncio.run(main())');
  });

  it('whose program dies is followed by the object that it should serve', () => {
    const plan = planOf(
      files('w = "w:main"\n', { 'w/__init__.py': 'from .server import main\n', 'w/server.py': MAIN }),
    );
    expect(starts(plan).at(-1)).toBe(`${PYTHON} -c from w.server import mcp as o; o.run()`);
  });

  it('found by the folder that its build names', () => {
    const plan = planOf({
      'pyproject.toml': pyproject(
        '[project.scripts]\nw = "w:main"\n[tool.hatch.build.targets.wheel]\npackages = ["server/w"]\n',
      ),
      'server/w/__init__.py': MAIN,
    });
    expect(plan.start[0]?.command.env).toEqual({ PYTHONPATH: 'server' });
  });

  it.each<[string, string, string[]]>([
    [
      'click',
      'import click\n@click.group()\ndef main(): ...\n@main.command()\ndef serve(): ...\n@main.command("init")\ndef setup(): ...\n',
      ['serve'],
    ],
    [
      'typer',
      'import typer\nmain = typer.Typer()\n@main.command("start-mcp-server")\ndef a(): ...\n@main.command()\ndef login(): ...\n',
      ['start-mcp-server'],
    ],
    ['typer with one command', 'import typer\nmain = typer.Typer()\n@main.command()\ndef serve(): ...\n', []],
    [
      'click with a default',
      'import click\n@click.group(invoke_without_command=True)\ndef main(): ...\n@main.command()\ndef serve(): ...\n',
      [],
    ],
    [
      'argparse that demands one',
      'sub = parser.add_subparsers(dest="c", required=True)\nsub.add_parser("serve")\nsub.add_parser("init")\ndef main(): ...\n',
      ['serve'],
    ],
    ['argparse that does not', 'sub = parser.add_subparsers(dest="c")\nsub.add_parser("serve")\ndef main(): ...\n', []],
    [
      'click with nothing that serves',
      'import click\n@click.group()\ndef main(): ...\n@main.command()\ndef login(): ...\n',
      [],
    ],
  ])('of %s gets the subcommand without which it does nothing', (_, cli, expected) => {
    const plan = planOf(
      files('w = "w.cli:main"\n', {
        'w/__init__.py': '',
        'w/cli.py': `from .server import mcp\n${cli}`,
        'w/server.py': OBJECT,
      }),
    );
    expect(plan.start[0]?.command.args).toEqual(['.venv/bin/w', ...expected]);
  });

  it('gets no second subcommand when the caller gives one', () => {
    const cli = 'import click\n@click.group()\ndef main(): ...\n@main.command()\ndef serve(): ...\n';
    const given = (...args: string[]) =>
      planOf(files('w = "w:main"\n', { 'w/__init__.py': `${OBJECT}${cli}` }), { overrides: { args } }).start[0]?.command
        .args;
    expect(given('other')).toEqual(['.venv/bin/w', 'other']);
    expect(given('--fast')).toEqual(['.venv/bin/w', 'serve', '--fast']);
  });
});

describe('the endpoint of a Python server', () => {
  it.each<[string, string, string | null]>([
    [
      'mounted',
      'sub = mcp.http_app(path="/calendar")\napp = FastAPI(lifespan=sub.lifespan)\napp.mount("/mcp", sub)\n',
      '/mcp/calendar',
    ],
    [
      'mounted where it is made',
      'app = Starlette(routes=[Mount("/api", app=mcp.streamable_http_app())])\n',
      '/api/mcp',
    ],
    ['given to run', 'mcp.run(transport="http", path="/weather")\n', '/weather'],
    ['where it usually is', 'app = FastAPI()\napp.mount("/", mcp.streamable_http_app())\n', null],
    ['of something else', 'app = FastAPI()\napp.mount("/static", StaticFiles(directory="x"))\n', null],
  ])('is read from its source: %s', (_, text, expected) => {
    expect(
      planOf({ 'pyproject.toml': pyproject(), 'main.py': `${OBJECT}${text}if __name__ == "__main__":\n    run()\n` })
        .endpoint,
    ).toBe(expected);
  });
});

describe('fastmcp.json', () => {
  const config = (fields: object) => ({ 'fastmcp.json': JSON.stringify(fields) });

  it('says which object of which file is served', () => {
    const plan = planOf({
      ...config({ source: { path: 'src/server.py', entrypoint: 'weather' }, environment: { dependencies: ['httpx'] } }),
      'src/server.py': 'from fastmcp import FastMCP\nweather = FastMCP("x")\n',
      'main.py': STUB,
    });
    expect(line(plan.start[0]!)).toBe(`${PYTHON} -c from server import weather as o; o.run()`);
    expect(plan.install[0]?.steps.at(-1)?.args).toContain('httpx');
    expect(plan.evidence).toContainEqual({ file: 'fastmcp.json', line: 1, says: 'runs weather of src/server.py' });
  });

  it.each<[string, object]>([
    ['with the object behind the file', { source: { path: 'server.py:mcp' } }],
    ['with a word at the top', { entrypoint: 'server.py:mcp' }],
    ['with file and object at the top', { entrypoint: { file: 'server.py', object: 'mcp' } }],
    ['without an object', { source: { path: 'server.py' } }],
  ])('is read %s', (_, fields) => {
    expect(first({ ...config(fields), 'server.py': OBJECT })).toBe(`${PYTHON} -c from server import mcp as o; o.run()`);
  });

  it('calls a function that makes the server, and gives arguments and variables; a ${VAR} is only a name', () => {
    const plan = planOf({
      ...config({
        source: { path: 'server.py', entrypoint: 'create' },
        deployment: { args: ['--fast'], env: { LEVEL: 'INFO', WEATHER_TOKEN: '${MY_TOKEN}', EVIL: '$(id) ${cmd:id}' } },
      }),
      'server.py': `${OBJECT}def create():\n    return mcp\n`,
    });
    expect(plan.start[0]?.command.args.slice(1)).toEqual([expect.stringContaining('inspect.isfunction(o)'), '--fast']);
    expect(plan.env).toMatchObject({ LEVEL: 'INFO' });
    expect(Object.keys(plan.env)).not.toContain('WEATHER_TOKEN');
    expect(Object.keys(plan.env)).not.toContain('EVIL');
    expect(plan.wants).toContainEqual({ name: 'MY_TOKEN', required: false, secret: true });
  });

  it('that names no file of ours is left aside', () => {
    expect(first({ ...config({ command: 'python', args: ['x.py'] }), 'server.py': GUARDED })).toBe(
      `${PYTHON} server.py`,
    );
    expect(first({ ...config({ source: { path: '../x.py' } }), 'server.py': GUARDED })).toBe(`${PYTHON} server.py`);
  });
});

describe('a Python project that is no server', () => {
  it('says so, with what it looked for and what it is instead (trap 37)', () => {
    const refusal = refusalOf({
      'pyproject.toml': pyproject(BUILD),
      'mcp_weather/__init__.py': 'class Tool: ...\n',
      'demo.ipynb': '{}',
      'examples/server.py': GUARDED,
    });
    expect(refusal.code).toBe('DETECT_NOT_A_SERVER');
    expect(refusal.evidence.map(({ says }) => says)).toEqual(
      expect.arrayContaining([
        'depends on mcp, so it may be a library for servers',
        'is a notebook, which serves nothing',
        'is an example that serves',
      ]),
    );
    expect(refusal.hint).toContain('examples');
  });

  it('is one that only calls servers', () => {
    expect(refusalOf({ 'requirements.txt': 'mcp\n', 'client.py': CLIENT, 'main.py': CLIENT }).evidence).toContainEqual(
      expect.objectContaining({ says: 'calls servers as a client' }),
    );
  });
});

describe('a repository of several Python servers', () => {
  const server = (name: string) => ({
    [`src/${name}/pyproject.toml`]: pyproject(`[project.scripts]\n${name} = "w:main"\n`, name),
    [`src/${name}/w.py`]: MAIN,
  });

  it('is a catalogue of equals (traps 33, 34: nothing at its root)', () => {
    expect(refusalOf({ 'README.md': '# Servers', ...server('alpha-mcp'), ...server('beta-mcp') })).toMatchObject({
      code: 'DETECT_AMBIGUOUS',
      choices: ['src/alpha-mcp', 'src/beta-mcp'],
    });
  });

  it('is its only one, where it holds one (trap 34)', () => {
    expect(planOf({ 'README.md': '# One', ...server('alpha-mcp') }).projectDir).toBe('src/alpha-mcp');
  });
});
