import { builtIn } from '../../launchers/table.ts';
import { describeLauncher, type Sample } from './conformance.ts';
import { json, SDK } from './plan-of.ts';

const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  node: [
    {
      name: 'a TypeScript package with a lock',
      files: {
        'package.json': json({ name: 'weather', bin: './dist/index.js', scripts: { build: 'tsc' }, dependencies: SDK }),
        'package-lock.json': '{}',
        'src/index.ts': 'new McpServer({})',
      },
      installed: { 'dist/src/index.js': '' },
    },
    {
      name: 'a member of a pnpm workspace',
      dir: 'packages/weather',
      files: {
        'pnpm-workspace.yaml': 'packages: ["packages/*"]',
        'pnpm-lock.yaml': "lockfileVersion: '9.0'",
        'package.json': json({ name: 'root', private: true }),
        'packages/weather/package.json': json({
          name: '@acme/weather',
          bin: { weather: 'dist/cli.js' },
          scripts: { build: 'tsc' },
          dependencies: SDK,
        }),
      },
    },
    { name: 'a bare file', files: { 'server.js': 'http.createServer(() => {}).listen(0)' } },
  ],
  python: [
    {
      name: 'a uv project',
      files: {
        'pyproject.toml':
          '[project]\nname = "mcp-weather"\ndependencies = ["mcp"]\n[project.scripts]\nmcp-weather = "mcp_weather:main"\n[build-system]\nrequires = ["hatchling"]\n',
        'uv.lock': 'version = 1',
        'src/mcp_weather/__init__.py': '',
      },
      installed: {
        '.venv/bin/mcp-weather': '',
        '.venv/lib/python3.11/site-packages/mcp_weather-0.1.0.dist-info/entry_points.txt':
          '[console_scripts]\nmcp-weather = mcp_weather:main\n',
      },
    },
    {
      name: 'a bare file',
      files: { 'server.py': 'from mcp.server.fastmcp import FastMCP\nmcp = FastMCP("x")\nmcp.run()\n' },
    },
  ],
  manifest: [
    { name: 'a command', files: { 'mcp-supervisor.yaml': 'command: ./server --fast\nport: {arg: --port}\n' } },
    {
      name: 'a runtime with a build',
      files: {
        '.quore/plugin.yaml': 'runtime: node\nentry: dist/server.js\n',
        'package.json': json({ name: 'weather', scripts: { build: 'tsc' }, dependencies: SDK }),
      },
    },
  ],
  binary: [],
};

for (const launcher of builtIn) describeLauncher(launcher, SAMPLES[launcher.id] ?? []);
