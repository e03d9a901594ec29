import { describe, expect, it } from 'vitest';
import { createNodeLauncher } from '../../launchers/node.ts';
import { createFileView } from '../support/file-view.ts';
import { builds, json, planOf, refusalOf, rungs, SDK, starts, toolOf } from './plan-of.ts';

const pkg = (fields: object): string => json({ name: 'weather', dependencies: SDK, ...fields });
const SERVER = 'const server = new McpServer({ name: "x" });';

describe('the start of a Node package', () => {
  it.each<[string, object, Record<string, string>, string[]]>([
    ['bin as text', { bin: './dist/index.js' }, {}, ['node dist/index.js']],
    [
      'bin before a start script that is HTTP',
      { bin: { weather: 'dist/stdio.js' }, scripts: { start: 'node dist/stdio.js --transport http' } },
      {},
      ['node dist/stdio.js', 'node dist/stdio.js --transport http'],
    ],
    [
      'of several bins the one named like the package',
      { name: '@acme/weather', bin: { 'weather-setup': 'setup.js', 'remove-weather': 'rm.js', weather: 'dist/i.js' } },
      {},
      ['node dist/i.js'],
    ],
    [
      'of several bins the one with mcp in its name',
      { bin: { 'acme-cli': 'cli.js', 'acme-mcp': 'mcp.js' } },
      {},
      ['node mcp.js'],
    ],
    [
      'the start script without a bin',
      { scripts: { start: 'NODE_ENV=production node --enable-source-maps dist/app.js --stdio' } },
      {},
      ['node --enable-source-maps dist/app.js --stdio'],
    ],
    [
      'the last of a start script that compiles first',
      { scripts: { start: 'tsc && node dist/app.js' } },
      {},
      ['node dist/app.js'],
    ],
    [
      'a start script without its .env file',
      { scripts: { start: 'node --env-file=.env dist/app.js' } },
      {},
      ['node dist/app.js'],
    ],
    [
      'tsx as a loader, in one process',
      { scripts: { start: 'tsx src/index.ts' }, devDependencies: { tsx: '4' } },
      {},
      ['node --import tsx src/index.ts'],
    ],
    [
      'a bun start script of plain JavaScript on node',
      { scripts: { start: 'bun dist/index.js' } },
      {},
      ['node dist/index.js'],
    ],
    [
      'main, where its source serves',
      { main: 'dist/index.js', types: 'dist/index.d.ts' },
      { 'src/index.ts': SERVER },
      ['node dist/index.js'],
    ],
    ['main without its ending', { main: 'lib/server' }, { 'lib/server.js': SERVER }, ['node lib/server.js']],
    ['index.js that serves', {}, { 'index.js': SERVER }, ['node index.js']],
    [
      'what the compiler writes',
      {},
      { 'src/server.ts': SERVER, 'tsconfig.json': '{\n  // out\n  "compilerOptions": {"outDir": "./out"}\n}' },
      ['node out/server.js', 'node out/src/server.js'],
    ],
    [
      'bun, where the source needs it',
      { bin: 'dist/index.js' },
      { 'src/index.ts': '#!/usr/bin/env bun\nBun.serve({})' },
      ['bun dist/index.js'],
    ],
  ])('is %s', (_, fields, files, expected) => {
    expect(starts(planOf({ 'package.json': pkg(fields), ...files }))).toEqual(expected);
  });

  it.each([
    ['a watcher', 'nodemon dist/index.js'],
    ['a runner in watch mode', 'tsx watch src/index.ts'],
    ['the inspector', 'npx @modelcontextprotocol/inspector node build/index.js'],
    ['a page', 'next dev'],
    ['another script', 'npm run dev'],
    ['a platform', 'wrangler dev'],
    ['a pipe', 'node dist/index.js | pino-pretty'],
    ['an expression', 'node -e "require(`./x`)"'],
  ])('is never a start script that is %s', (_, start) => {
    expect(refusalOf({ 'package.json': pkg({ scripts: { start } }) })).toMatchObject({
      code: 'DETECT_NOT_A_SERVER',
      evidence: expect.arrayContaining([{ file: 'package.json', says: expect.stringContaining('start is') }]),
    });
  });

  it('is never the main of a library', () => {
    const library = { main: 'dist/lib.js', types: 'dist/lib.d.ts', exports: { '.': './dist/lib.js' } };
    const src = { 'src/lib.ts': 'export const add = () => 1;' };
    expect(refusalOf({ 'package.json': pkg(library), ...src }).code).toBe('DETECT_NOT_A_SERVER');
    expect(starts(planOf({ 'package.json': pkg({ ...library, bin: 'dist/cli.js' }), ...src }))).toEqual([
      'node dist/cli.js',
    ]);
  });

  it('falls back to a main that is the program, and names the file that each choice needs', () => {
    const plan = planOf({ 'package.json': pkg({ bin: 'dist/cli.js', main: 'build/index.js' }) });
    expect(plan.start.map(({ id, entry }) => [id, entry])).toEqual([
      ['bin:weather', 'dist/cli.js'],
      ['main', 'build/index.js'],
    ]);
  });

  it('keeps the variables of a start script', () => {
    const plan = planOf({ 'package.json': pkg({ scripts: { start: 'cross-env TRANSPORT=stdio node server.js' } }) });
    expect(plan.start[0]?.command.env).toEqual({ TRANSPORT: 'stdio' });
  });

  it('leaves the transport open, and knows port variables of the plugin’s own', () => {
    const plan = planOf({
      'package.json': pkg({ bin: 'dist/index.js' }),
      'src/config.ts': 'export const port = process.env.ACME_MCP_PORT; const db = process.env.PG_SQL_PORT;',
    });
    expect(plan.transport).toBe('auto');
    expect(plan.port.env).toContain('PORT');
    expect(plan.port.env).toContain('ACME_MCP_PORT');
    expect(plan.port.env).not.toContain('PG_SQL_PORT');
    expect(plan.port.args).toEqual([]);
  });
});

describe('what a build wrote elsewhere', () => {
  const launcher = createNodeLauncher();
  const files = { 'package.json': pkg({ bin: 'dist/index.js' }) };

  it('is found when nothing else is there', () => {
    const plan = launcher.resolve(createFileView({ ...files, 'dist/src/index.js': '' }), planOf(files));
    expect(starts(plan).at(-1)).toBe('node dist/src/index.js');
  });

  it('is left alone when the package was right', () => {
    const plan = planOf(files);
    expect(launcher.resolve(createFileView({ ...files, 'dist/index.js': '', 'dist/src/index.js': '' }), plan)).toEqual(
      plan,
    );
  });
});

describe('the package manager', () => {
  const bin = { bin: 'dist/index.js' };
  it.each<[string, object, Record<string, string>, string, [string, string | null]]>([
    ['npm with a lock', {}, { 'package-lock.json': '{}' }, 'npm-ci', ['npm', null]],
    ['npm with a shrinkwrap', {}, { 'npm-shrinkwrap.json': '{}' }, 'npm-ci', ['npm', null]],
    ['npm without a lock', {}, {}, 'npm-install-no-lock', ['npm', null]],
    [
      'pnpm by its lock, in the version that reads it',
      {},
      { 'pnpm-lock.yaml': "lockfileVersion: '6.0'\n" },
      'pnpm-frozen',
      ['pnpm', '^8'],
    ],
    ['pnpm of today', {}, { 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" }, 'pnpm-frozen', ['pnpm', '^10']],
    [
      'packageManager over locks',
      { packageManager: 'pnpm@9.1.0+sha512.abc' },
      { 'package-lock.json': '{}' },
      'pnpm-no-lock',
      ['pnpm', '^10'],
    ],
    ['devEngines', { devEngines: { packageManager: { name: 'bun' } } }, {}, 'bun-install', ['bun', null]],
    ['bun by its text lock', {}, { 'bun.lock': '' }, 'bun-frozen', ['bun', null]],
    ['bun by its binary lock', {}, { 'bun.lockb': '' }, 'bun-frozen', ['bun', null]],
    ['Yarn 1', {}, { 'yarn.lock': '# yarn lockfile v1\n' }, 'yarn-frozen', ['yarn', '^1']],
    ['Yarn 4 by its lock', {}, { 'yarn.lock': '__metadata:\n  version: 8\n' }, 'yarn-immutable', ['yarn', '^4']],
    ['Yarn 3 by its lock', {}, { 'yarn.lock': '__metadata:\n  version: 6\n' }, 'yarn-immutable', ['yarn', '^3']],
    ['engines', { engines: { pnpm: '>=8' } }, {}, 'pnpm-no-lock', ['pnpm', '^10']],
    [
      'of several locks the one whose manager the scripts call',
      { scripts: { build: 'tsc', prepare: 'npm run build' } },
      { 'package-lock.json': '{}', 'pnpm-lock.yaml': '' },
      'npm-ci',
      ['npm', null],
    ],
    [
      'of several locks the first by rank when scripts are silent',
      {},
      { 'package-lock.json': '{}', 'pnpm-lock.yaml': '', 'yarn.lock': '' },
      'pnpm-frozen',
      ['pnpm', '^10'],
    ],
  ])('is %s', (_, fields, files, first, [name, version]) => {
    const plan = planOf({ 'package.json': pkg({ ...bin, ...fields }), ...files });
    expect(rungs(plan)[0]).toBe(first);
    expect(toolOf(plan, name)).toEqual({ name, version });
  });

  it('is the Yarn that the repository carries, run by node', () => {
    const plan = planOf({
      'package.json': pkg(bin),
      'yarn.lock': '__metadata:\n  version: 6\n',
      '.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-3.6.0.cjs\n',
      '.yarn/releases/yarn-3.6.0.cjs': '',
    });
    expect(plan.install[0]?.steps[0]).toMatchObject({
      program: 'node',
      args: ['.yarn/releases/yarn-3.6.0.cjs', 'install', '--immutable'],
    });
    expect(toolOf(plan, 'yarn')).toBeUndefined();
  });

  it('installs nothing for a package without dependencies and scripts', () => {
    expect(planOf({ 'package.json': json({ name: 'weather', bin: 'server.js' }), 'server.js': '' }).install).toEqual(
      [],
    );
  });

  it('installs devDependencies and no browsers, and does not become the version that packageManager names', () => {
    const env = planOf({ 'package.json': pkg({ ...bin, packageManager: 'pnpm@9.1.0' }) }).install[0]?.steps[0]?.env;
    expect(env).toMatchObject({
      CI: 'true',
      NODE_ENV: 'development',
      PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
      PUPPETEER_SKIP_DOWNLOAD: '1',
      NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS: 'false',
      pnpm_config_pm_on_fail: 'ignore',
    });
  });

  it.each([
    ['package-lock.json', 'install-script-failed', 'npm-ci-no-scripts'],
    ['package-lock.json', 'lock-out-of-date', 'npm-install'],
    ['package-lock.json', 'version-not-found', 'npm-install-no-lock'],
    ['package-lock.json', 'incompatible-dependency', 'npm-install-legacy-peers'],
    ['package-lock.json', 'network', 'npm-ci-own-registry'],
    ['pnpm-lock.yaml', 'version-not-found', 'pnpm-no-lock'],
    ['pnpm-lock.yaml', 'install-script-failed', 'pnpm-frozen-no-scripts'],
    ['yarn.lock', 'version-not-found', 'yarn-no-lock'],
    ['bun.lock', 'version-not-found', 'npm-instead'],
  ] as const)('with %s, cures %s by %s', (lock, cause, id) => {
    const plan = planOf({ 'package.json': pkg(bin), [lock]: '' });
    expect(plan.install.slice(1).find(({ cures }) => cures === 'any' || cures.includes(cause))?.id).toBe(id);
  });
});

describe('npm in place of another package manager', () => {
  const last = (files: Record<string, string>) => planOf(files).install.at(-1)?.id;
  const yarn = { 'yarn.lock': '# yarn lockfile v1\n' };

  it('is the last resort of Yarn 1, which looks up every platform’s optional packages', () => {
    const plan = planOf({ 'package.json': pkg({ bin: 'i.js' }), ...yarn });
    expect(plan.install.at(-1)?.id).toBe('npm-instead-no-scripts');
    expect(toolOf(plan, 'npm')).toBeDefined();
  });

  it.each(['workspace:^', 'catalog:', 'portal:../x'])('is none where a version reads %s', (version) => {
    const files = { 'package.json': pkg({ bin: 'i.js', devDependencies: { other: version } }), ...yarn };
    expect(last(files)).toBe('yarn-no-scripts');
  });

  it('is none where another member of the workspace has such a version', () => {
    const files = {
      'package.json': json({ private: true, workspaces: ['packages/*'] }),
      'packages/a/package.json': pkg({ bin: 'i.js' }),
      'packages/b/package.json': json({ name: 'b', dependencies: { a: 'workspace:*' } }),
      ...yarn,
    };
    expect(last(files)).toBe('yarn-no-scripts');
  });
});

describe('a program that was committed and loads what is built', () => {
  const files = {
    'package.json': pkg({ bin: { weather: 'bin/weather.js' }, scripts: { build: 'tsc' } }),
    'bin/weather.js':
      "#!/usr/bin/env node\nif (process.argv[2] === 'page') import('../dist/page.js');\nelse import('../dist/index.js');\nimport './colours.js';\n",
    'bin/colours.js': '',
  };

  it('is not there before that is', () => {
    const [first] = planOf(files).start;
    expect(first?.command.args).toEqual(['bin/weather.js']);
    expect(first?.entry).toBe('dist/index.js');
  });

  it('is there when that was committed too', () => {
    expect(planOf({ ...files, 'dist/index.js': '', 'dist/page.js': '' }).start[0]?.entry).toBe('bin/weather.js');
  });
});

describe('the build of a Node package', () => {
  const bin = { bin: 'dist/index.js' };
  it.each<[string, object, Record<string, string>, string[]]>([
    ['its build script', { scripts: { build: 'tsc', prepare: 'husky' } }, {}, ['npm run build']],
    [
      'prepare, where that builds',
      { scripts: { prepare: 'tsc && shx chmod +x dist/index.js' } },
      {},
      ['npm run prepare'],
    ],
    [
      'never a prepare that sets up hooks',
      { scripts: { prepare: 'husky install', prepublish: 'tsc' } },
      {},
      ['npm run prepublish'],
    ],
    [
      'the compiler',
      { scripts: { prepare: 'husky' }, devDependencies: { typescript: '5' } },
      { 'tsconfig.json': '{}' },
      ['tsc -p .'],
    ],
    ['nothing', { scripts: { build: 'echo nothing to do' } }, {}, []],
  ])('is %s', (_, fields, files, expected) => {
    expect(builds(planOf({ 'package.json': pkg({ ...bin, ...fields }), ...files }))).toEqual(expected);
  });

  it('names the programs that its scripts call', () => {
    const plan = planOf({
      'package.json': pkg({ ...bin, scripts: { build: 'npm run build:js', 'build:js': 'bun build.ts' } }),
      'package-lock.json': '{}',
    });
    expect(toolOf(plan, 'bun')).toBeDefined();
  });

  it('names the Node that the package wants, when it is a range', () => {
    const wants = (node: string) =>
      toolOf(planOf({ 'package.json': pkg({ ...bin, engines: { node } }) }), 'node')?.version;
    expect(wants('>=22')).toBe('>=22');
    expect(wants('lts/*')).toBeNull();
  });
});

describe('a Node workspace', () => {
  const member = (name: string, more: object = {}) =>
    json({
      name: `@acme/${name}`,
      bin: { [name]: 'dist/index.js' },
      scripts: { build: 'tsc' },
      dependencies: SDK,
      ...more,
    });
  const library = json({ name: '@acme/core', main: 'dist/index.js', types: 'x.d.ts', scripts: { build: 'tsc' } });
  const root = json({ name: 'acme', private: true, workspaces: ['packages/*'], scripts: { build: 'turbo build' } });

  it('is installed at its root; the member is built after what it needs, and started in its own folder', () => {
    const plan = planOf(
      {
        'package.json': root,
        'package-lock.json': '{}',
        'packages/core/package.json': library,
        'packages/weather/package.json': member('weather', { dependencies: { ...SDK, '@acme/core': '*' } }),
      },
      { subdir: 'packages/weather' },
    );
    expect(plan.install[0]?.steps).toMatchObject([{ program: 'npm', args: ['ci'], cwd: '' }]);
    expect(builds(plan)).toEqual([
      'npm run build --workspace=packages/core',
      'npm run build --workspace=packages/weather',
    ]);
    expect(starts(plan)).toEqual(['node dist/index.js @ packages/weather']);
    expect(plan.start[0]?.entry).toBe('packages/weather/dist/index.js');
  });

  it('lets pnpm build the member with what it needs', () => {
    const plan = planOf(
      {
        'package.json': json({ name: 'acme', private: true }),
        'pnpm-workspace.yaml': 'packages:\n  - packages/*\n  - "!packages/old"\n',
        'pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
        'packages/weather/package.json': member('weather'),
      },
      { subdir: 'packages/weather' },
    );
    expect(builds(plan)).toEqual(['pnpm --filter @acme/weather... run build']);
    expect(plan.build[0]?.cwd).toBe('');
  });

  it('is not what a pnpm-workspace.yaml with settings alone makes', () => {
    const plan = planOf({
      'package.json': pkg({ bin: 'i.js' }),
      'pnpm-workspace.yaml': 'onlyBuiltDependencies: [esbuild]\n',
      'pnpm-lock.yaml': '',
    });
    expect(plan.projectDir).toBe('');
    expect(plan.install[0]?.steps[0]?.args).toEqual(['install', '--frozen-lockfile']);
  });

  it('with one server has that for its project', () => {
    const plan = planOf({
      'package.json': root,
      'packages/core/package.json': library,
      'packages/weather/package.json': member('weather'),
    });
    expect(plan.projectDir).toBe('packages/weather');
  });

  it('with several takes the one named like the repository', () => {
    const files = {
      'package.json': root,
      'packages/a/package.json': member('tides'),
      'packages/b/package.json': member('weather'),
    };
    expect(planOf(files, { name: 'weather' }).projectDir).toBe('packages/b');
  });

  it('with several equals asks, naming them all', () => {
    const files = {
      'package.json': root,
      'packages/a/package.json': member('tides'),
      'packages/b/package.json': member('moon'),
    };
    expect(refusalOf(files)).toMatchObject({
      code: 'DETECT_AMBIGUOUS',
      choices: ['packages/a', 'packages/b'],
      hint: expect.stringContaining('--subdir packages/a'),
    });
  });

  it('counts a private member only when no other serves', () => {
    const files = {
      'package.json': root,
      'packages/a/package.json': member('tides', { private: true }),
      'packages/b/package.json': member('moon'),
    };
    expect(planOf(files).projectDir).toBe('packages/b');
  });
});
