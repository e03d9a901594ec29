import fc from 'fast-check';
import { expect } from 'vitest';
import { type FileView, isRefusal, type LaunchPlan, type Refusal } from '../../launchers/plan.ts';
import { builtIn, planFor } from '../../launchers/table.ts';
import { createFileView } from '../support/file-view.ts';
import { createSpec, specOf } from '../support/spec.ts';
import { jsonText, monotony, mutated } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

/** Name → what it may look like when all is well. */
const MANIFESTS: Readonly<Record<string, readonly string[]>> = {
  'package.json': [
    '{"name":"@o/weather","version":"1.0.0","type":"module","main":"dist/index.js","bin":{"weather":"./dist/index.js"},"scripts":{"build":"tsc && chmod +x dist/index.js","start":"NODE_ENV=production node dist/index.js --stdio","prepare":"npm run build"},"engines":{"node":">=18"},"workspaces":["packages/*"],"dependencies":{"@modelcontextprotocol/sdk":"^1.0.0","playwright":"1"},"packageManager":"pnpm@9.0.0+sha512.abc"}',
  ],
  'pyproject.toml': [
    '[project]\nname = "weather"\nversion = "1"\nrequires-python = ">=3.10,<4"\ndependencies = ["mcp[cli]>=1.2", "httpx; python_version < \'3.12\'"]\n[project.scripts]\nweather = "weather:main"\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.poetry.dependencies]\npython = "^3.10"\n',
  ],
  'Cargo.toml': [
    '[package]\nname = "weather"\nversion = "0.1.0"\nedition = "2021"\nrust-version = "1.75"\ndefault-run = "weather"\n[[bin]]\nname = "weather"\npath = "src/main.rs"\nrequired-features = ["http"]\n[features]\ndefault = []\nhttp = ["dep:axum"]\n[dependencies]\nrmcp = { version = "0.1", features = ["server"] }\n[workspace]\nmembers = ["crates/*"]\n',
  ],
  'pom.xml': [
    '<?xml version="1.0"?><project><modelVersion>4.0.0</modelVersion><parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.3.0</version></parent><groupId>g</groupId><artifactId>weather</artifactId><version>${revision}</version><properties><java.version>17</java.version><revision>1</revision></properties><modules><module>server</module></modules><dependencies><dependency><groupId>io.modelcontextprotocol.sdk</groupId><artifactId>mcp</artifactId></dependency></dependencies><build><plugins><plugin><artifactId>maven-shade-plugin</artifactId><configuration><mainClass>a.B</mainClass></configuration></plugin></plugins></build></project>',
  ],
  'build.gradle': [
    "plugins { id 'java'; id 'application' }\ndependencies { implementation 'io.modelcontextprotocol.sdk:mcp:0.10.0' }\napplication { mainClass = 'a.B' }\njava { toolchain { languageVersion = JavaLanguageVersion.of(17) } }\n",
  ],
  'server.json': [
    '{"name":"io.example/weather","description":"x","version":"1","repository":{"url":"x","source":"github","subfolder":"packages/a"},"packages":[{"registryType":"npm","identifier":"@o/weather","version":"1.0.0","transport":{"type":"stdio"},"packageArguments":[{"type":"named","name":"--mode","value":"{mode}","variables":{"mode":{"isRequired":true}}}],"environmentVariables":[{"name":"API_KEY","isRequired":true,"isSecret":true}]}]}',
  ],
  'manifest.json': [
    '{"manifest_version":"0.2","name":"weather","version":"1","server":{"type":"node","entry_point":"server/index.js","mcp_config":{"command":"node","args":["${__dirname}/server/index.js"],"env":{"KEY":"${user_config.key}"}}},"user_config":{"key":{"type":"string","required":true,"sensitive":true}}}',
  ],
  'smithery.yaml': [
    "startCommand:\n  type: stdio\n  configSchema:\n    type: object\n    required: [key]\n    properties:\n      key: {type: string}\n  commandFunction: |-\n    (config) => ({ command: 'node', args: ['dist/index.js', '--key', config.key], env: { KEY: config.key } })\n",
  ],
  'mcp-supervisor.yaml': [
    'command: node server.js --port {port}\ninstall: [npm ci]\nbuild: ["npm run build"]\ntransport: streamable-http\nport: {env: [PORT], args: [--port, "{port}"]}\nendpoint: /mcp\nenv: {A: b}\nwants: [{name: KEY, required: true}]\nreadyPattern: listening on\n',
  ],
  Dockerfile: [
    'FROM node:20 AS build\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci && npm run build\nFROM node:20-slim\nENV PORT=8080\nCOPY --from=build /app/dist ./dist\nEXPOSE 8080\nENTRYPOINT ["node", "dist/index.js"]\nCMD ["--http"]\n',
  ],
  Procfile: ['web: uvicorn app:app --host 0.0.0.0 --port $PORT\nworker: python worker.py\n'],
  'go.mod': ['module example.com/weather\n\ngo 1.22\n\nrequire github.com/mark3labs/mcp-go v0.20.0\n'],
  'go.work': ['go 1.22\nuse (\n\t./cmd\n\t./lib\n)\n'],
  'main.go': [
    'package main\n\nimport (\n\t"flag"\n\t"github.com/mark3labs/mcp-go/server"\n)\n\nfunc main() { flag.String("t", "stdio", "transport"); server.ServeStdio(s) }\n',
  ],
  'deno.json': [
    '{ // comment\n "name": "@o/w", "tasks": {"start": "deno run -A --env main.ts"}, "exports": "./main.ts", "imports": {"sdk": "npm:@modelcontextprotocol/sdk"}, }',
  ],
  'composer.json': [
    '{"name":"o/weather","require":{"php":">=8.1","php-mcp/server":"^2"},"bin":["bin/weather"],"scripts":{"start":"php bin/weather"}}',
  ],
  Gemfile: ["source 'x'\nruby '~> 3.1'\ngem 'mcp', '~> 0.1'\ngemspec\n"],
  'weather.gemspec': [
    "Gem::Specification.new do |s|\n s.name = 'weather'\n s.executables = ['weather']\n s.add_dependency 'fast-mcp'\nend\n",
  ],
  'requirements.txt': ['mcp[cli]>=1.2 # x\nhttpx==0.27 ; python_version<"3.12"\n-r other.txt\n'],
  'setup.py': [
    "from setuptools import setup\nsetup(name='weather', install_requires=['mcp'], entry_points={'console_scripts': ['weather=weather:main']})\n",
  ],
  'setup.cfg': [
    '[options]\ninstall_requires =\n  mcp\n[options.entry_points]\nconsole_scripts =\n  weather = weather:main\n',
  ],
  'Weather.csproj': [
    '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include="ModelContextProtocol" Version="0.1" /></ItemGroup></Project>',
  ],
  'pnpm-workspace.yaml': ["packages:\n  - 'packages/*'\n"],
  'pnpm-lock.yaml': ["lockfileVersion: '9.0'\n"],
  'yarn.lock': ['# yarn lockfile v1\n'],
  '.yarnrc.yml': ['nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.0.0.cjs\n'],
  'uv.lock': ['version = 1\nrequires-python = ">=3.10"\n[[package]]\nname = "mcp"\nversion = "1.2"\n'],
  'Cargo.lock': ['version = 3\n[[package]]\nname = "rmcp"\nversion = "0.1.0"\n'],
  'rust-toolchain.toml': ['[toolchain]\nchannel = "1.75"\n'],
  'server.py': [
    "import os\nfrom mcp.server.fastmcp import FastMCP\nmcp = FastMCP('weather', port=8000)\nkey = os.environ['KEY']\n@mcp.tool()\ndef f(): pass\nif __name__ == '__main__':\n    mcp.run(transport='stdio')\n",
  ],
  'index.js': [
    "import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\nconst key = process.env.API_KEY;\nif (!key) throw new Error('API_KEY is required');\napp.listen(process.env.PORT || 3000);\nawait server.connect(new StdioServerTransport());\n",
  ],
  'src/index.ts': [
    "import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';\nserver.connect(new StdioServerTransport());\n",
  ],
  'src/main.rs': [
    'use clap::Parser;\n#[derive(Parser)]\nstruct Args { #[arg(long, env = "KEY")] key: String }\n#[tokio::main]\nasync fn main() { serve(stdio()).await }\n',
  ],
  'README.md': [
    '# Weather\n\n```json\n{"mcpServers":{"weather":{"command":"npx","args":["-y","@o/weather"],"env":{"API_KEY":"<key>"}}}}\n```\n\nRun `node dist/index.js --api-key KEY`.\n',
  ],
  '.env.example': ['API_KEY=your-key # needed\nexport PORT=3000\n'],
  'tsconfig.json': ['{"compilerOptions":{"outDir":"dist","rootDir":"src",},}'],
  '.python-version': ['3.11\n'],
  '.nvmrc': ['v20\n'],
  'fastmcp.json': ['{"source":{"path":"server.py","entrypoint":"mcp"},"environment":{"dependencies":["httpx"]}}'],
  'app.json': ['{"name":"x"}'],
  'start.sh': ['#!/bin/sh\nset -e\ncd "$(dirname "$0")"\nexec python -m weather "$@"\n'],
};
const TOKENS = `{ } [ ] " ' : , = \n \t # // /* */ <!-- --> < > </ & ; | $( \${ \` \\ * ** ../ / ~ null true 1e999 -
  [[a]] [a.b] """ ''' !!js/function &a *a <<: workspace:* file:../x >=3 ^1 {port} $PORT \u0000 \uFEFF é`.split(/[ ]+/);
const FOLDERS = ['', '', '', '', 'server/', 'packages/a/', 'src/', 'cmd/x/', 'dist/', '.quore/'];

const text = (originals: readonly string[]) =>
  fc.oneof(
    { weight: 6, arbitrary: mutated(originals, TOKENS) },
    { weight: 2, arbitrary: fc.constantFrom(...originals) },
    { weight: 2, arbitrary: jsonText },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 1, arbitrary: monotony },
  );
const file = fc
  .tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...Object.keys(MANIFESTS)))
  .chain(([folder, name]) => text(MANIFESTS[name]!).map((content) => [folder + name, content] as const));
const odd = fc.tuple(
  fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constantFrom('dist/index.js', 'a/b/c/d.py', '__proto__', 'constructor', 'src/a/__init__.py'),
  ),
  fc.constant(''),
);
const files = fc
  .array(fc.oneof({ weight: 6, arbitrary: file }, { weight: 1, arbitrary: odd }), { minLength: 1, maxLength: 7 })
  .map((entries) => createFileView(Object.fromEntries(entries)));
const words = fc.oneof(fc.constantFrom('', 'server', 'packages/a', 'src', 'none'), fc.string({ maxLength: 8 }));

function checkPlan(view: FileView, made: LaunchPlan | Refusal, launcher?: (typeof builtIn)[number]): void {
  JSON.stringify(made);
  if (isRefusal(made)) {
    expect(made.code).toMatch(/^DETECT_(NOT_A_SERVER|BAD_MANIFEST|UNSUPPORTED|AMBIGUOUS)$/);
    expect(made.message).not.toBe('');
    return;
  }
  for (const { command } of made.start) {
    expect(typeof command.program).toBe('string');
    for (const arg of command.args) expect(typeof arg).toBe('string');
  }
  for (const [name, value] of Object.entries(made.env)) expect([name, typeof value]).toEqual([name, 'string']);
  for (const { name } of made.wants) expect(typeof name).toBe('string');
  const resolved = launcher?.resolve(view, made) ?? made;
  expect(Array.isArray(resolved.start)).toBe(true);
}

fuzz('every launcher gives a plan or a refusal for any folder', [files, words], (view, dir) => {
  const spec = createSpec('weather', dir);
  for (const launcher of builtIn) {
    const detected = launcher.detect(view, dir);
    expect(typeof detected).toBe('boolean');
    if (detected) checkPlan(view, launcher.plan(view, dir, spec), launcher);
  }
});

fuzz('the table gives a plan or a refusal for any folder', [files, words], (view, dir) => {
  const made = planFor(view, createSpec('weather', dir));
  checkPlan(view, made, isRefusal(made) ? undefined : builtIn.find(({ id }) => id === made.launcher));
});

const PACKAGES = ['npm:@o/weather@1.0.0', 'npm:weather', 'pypi:weather==1'].map((source) => specOf(source));
fuzz('a package gets a plan or a refusal, whatever it holds', [files, fc.constantFrom(...PACKAGES)], (view, spec) => {
  checkPlan(view, planFor(view, spec));
});

const alone = fc
  .constantFrom(...Object.keys(MANIFESTS))
  .chain((name) => fc.tuple(fc.constant(name), fc.tuple(fc.constantFrom(...MANIFESTS[name]!), monotony, fc.nat())));
fuzz(
  'no file takes long to read because something stands in it very often',
  [alone],
  ([name, [original, often, place]]) => {
    const at = place % (original.length + 1);
    const view = createFileView({ [name]: original.slice(0, at) + often + original.slice(at) });
    for (const launcher of builtIn) {
      if (launcher.detect(view, '')) checkPlan(view, launcher.plan(view, '', createSpec()), launcher);
    }
  },
);

const noise = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  monotony,
  mutated(
    [
      "Error: Cannot find module 'x'\nRequire stack:\n- /a/b.js",
      'Traceback (most recent call last):\n  File "a.py", line 1\nModuleNotFoundError: No module named \'x\'',
      'usage: weather [-h] --key KEY\nweather: error: the following arguments are required: --key',
      'npm error code ERESOLVE\nnpm error ERESOLVE could not resolve',
      'error[E0433]: failed to resolve: use of undeclared crate',
      'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000',
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.1:compile',
      'Error: API_KEY environment variable is required',
    ],
    TOKENS,
  ),
);
fuzz(
  'every launcher explains any last words',
  [noise, fc.option(fc.integer({ min: 0, max: 255 }))],
  (stderr, code) => {
    for (const launcher of builtIn) {
      const cause = launcher.explain(stderr, { code, signal: code === null ? 'SIGKILL' : null });
      expect(cause.kind).toMatch(/^[a-z-]+$/);
      expect(cause.hint).not.toBe('');
    }
  },
  { share: 0.1 },
);
