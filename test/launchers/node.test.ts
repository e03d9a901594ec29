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
      'bin before a start script that is HTTP (trap 3)',
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
      'a start script without its .env file (trap 15)',
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

  it.each<[string, Record<string, string>, string[]]>([
    ['what a watcher watches (trap 2)', { start: 'nodemon dist/index.js' }, ['node dist/index.js']],
    ['what runs in watch mode', { dev: 'tsx watch --clear-screen=false src/index.ts' }, ['bun src/index.ts']],
    ['what nodemon executes', { dev: 'nodemon --watch src --exec "ts-node src/a.ts"' }, ['bun src/a.ts']],
    [
      'the script that start runs',
      { start: 'npm run serve', serve: 'node server.js --stdio' },
      ['node server.js --stdio'],
    ],
    [
      'the script for stdio before start',
      { start: 'node dist/http.js', 'start:stdio': 'node dist/stdio.js' },
      ['node dist/stdio.js', 'node dist/http.js'],
    ],
    ['what Nest builds', { start: 'nest start', 'start:prod': 'node dist/main' }, ['node dist/main.js']],
    ['what follows a build of its page', { start: 'vite build && node dist/i.js' }, ['node dist/i.js']],
    ['behind npx and variables', { start: 'cross-env A=1 npx tsx src/i.ts' }, ['bun src/i.ts']],
    ['one of another name', { local: 'node local.js' }, ['node local.js']],
  ])('is, without a bin, %s', (_, scripts, expected) => {
    expect(starts(planOf({ 'package.json': pkg({ scripts }) }))).toEqual(expected);
  });

  it('is, behind the program alone, the program with the command that serves', () => {
    for (const cli of [
      "program.command('serve').action(run);",
      'if (command === "serve") await run();',
      "switch (process.argv[2]) { case 'serve': run(); }",
    ]) {
      const plan = planOf({ 'package.json': pkg({ bin: 'dist/cli.js' }), 'src/cli.ts': cli });
      expect(starts(plan)).toEqual(['node dist/cli.js', 'node dist/cli.js serve']);
    }
    const plain = planOf({ 'package.json': pkg({ bin: 'dist/cli.js' }), 'src/cli.ts': 'if (kind === "serve") run();' });
    expect(starts(plain)).toEqual(['node dist/cli.js']);
  });

  it('is node itself for TypeScript whose first line says so, and that nothing else runs', () => {
    const src = { 'src/i.ts': '#!/usr/bin/env -S node --experimental-strip-types\n' };
    expect(starts(planOf({ 'package.json': pkg({ bin: 'src/i.ts' }), ...src }))).toEqual([
      'node --experimental-strip-types src/i.ts',
    ]);
    const withTsx = pkg({ bin: 'src/i.ts', devDependencies: { tsx: '4' } });
    expect(starts(planOf({ 'package.json': withTsx, ...src }))).toEqual(['node --import tsx src/i.ts']);
  });

  it('is never a file of another package below it', () => {
    const files = {
      'package.json': json({ name: 'weather', private: true, dependencies: SDK, workspaces: ['packages/*'] }),
      'packages/mcp/package.json': pkg({ bin: 'i.js' }),
      'packages/mcp/src/index.ts': SERVER,
      'server/package.json': json({ name: 'x' }),
      'server/index.js': SERVER,
    };
    expect(planOf(files).projectDir).toBe('packages/mcp');
  });

  it('is ts-node where the project has it', () => {
    const plan = planOf({
      'package.json': pkg({ scripts: { start: 'ts-node src/i.ts' }, devDependencies: { 'ts-node': '10' } }),
    });
    expect(starts(plan)).toEqual(['ts-node src/i.ts']);
  });

  it('is what the Dockerfile starts, where the package says nothing', () => {
    const files = { 'package.json': pkg({}), Dockerfile: 'FROM node:22\nCMD ["node", "out/run.js"]\n' };
    expect(starts(planOf({ ...files, 'src/run.ts': '' }))).toEqual(['node out/run.js']);
    expect(refusalOf(files).code, 'nothing here becomes that').toBe('DETECT_NOT_A_SERVER');
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['in a folder of its own', { 'src/server/index.js': SERVER }, ['node src/server/index.js']],
    [
      'by what it does, whatever its name',
      { 'src/a/weather.js': 'export const x = 1;', 'src/b/tides.js': 'await s.connect(new StdioServerTransport());' },
      ['node src/b/tides.js'],
    ],
    [
      'where the tsconfig of the build writes it',
      {
        'src/index.ts': SERVER,
        'tsconfig.build.json': '{"extends": "./base.json"}',
        'base.json': '{"outDir": "lib2"}',
      },
      ['node lib2/index.js', 'node lib2/src/index.js'],
    ],
  ])('is a file that serves, found %s', (_, files, expected) => {
    const manifest = pkg({ scripts: { build: 'tsc -p tsconfig.build.json' } });
    expect(starts(planOf({ 'package.json': manifest, ...files }))).toEqual(expected);
  });

  it.each([
    ['the inspector', 'npx @modelcontextprotocol/inspector node build/index.js'],
    ['a page', 'next dev'],
    ['another script', 'npm run dev'],
    ['a platform', 'wrangler dev'],
    ['a pipe', 'node dist/index.js | pino-pretty'],
    ['an expression', 'node -e "require(`./x`)"'],
  ])('is never a start script that is %s', (_, start) => {
    expect(refusalOf({ 'package.json': pkg({ scripts: { start } }) })).toMatchObject({
      code: 'DETECT_NOT_A_SERVER',
      evidence: expect.arrayContaining([
        expect.objectContaining({ file: 'package.json', says: expect.stringContaining('start is') }),
      ]),
    });
  });

  it('is never the main of a library (trap 4)', () => {
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

  it('says what was seen and not taken, and why', () => {
    const plan = planOf({
      'package.json': pkg({
        bin: { weather: 'i.js', 'weather-setup': 's.js' },
        scripts: { start: 'nodemon i.js' },
        main: 'dist/lib.js',
        types: 'x.d.ts',
      }),
    });
    expect(plan.passedOver.map(({ what, why }) => `${what} ${why}`)).toEqual([
      'bin weather-setup is a helper, by its name',
      'scripts.start: nodemon i.js is a watcher for development',
      'main: dist/lib.js is what others import',
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

  it('installs devDependencies, and does not become the version that packageManager names', () => {
    const env = planOf({ 'package.json': pkg({ ...bin, packageManager: 'pnpm@9.1.0' }) }).install[0]?.steps[0]?.env;
    expect(env).toMatchObject({
      CI: 'true',
      NODE_ENV: 'development',
      HUSKY: '0',
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
  /** Of what is resolved as of today. */
  const last = (files: Record<string, string>) =>
    planOf(files).install.findLast(({ id, asOfCommit }) => asOfCommit !== true && !id.endsWith('dev-tools'))?.id;
  const yarn = { 'yarn.lock': '# yarn lockfile v1\n' };

  it('is the last resort of Yarn 1, which looks up every platform’s optional packages', () => {
    const plan = planOf({ 'package.json': pkg({ bin: 'i.js' }), ...yarn });
    expect(last({ 'package.json': pkg({ bin: 'i.js' }), ...yarn })).toBe('npm-instead-no-scripts');
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

  it('with several equals takes the one with mcp in its name', () => {
    const files = {
      'package.json': root,
      'packages/backend/package.json': member('tides'),
      'packages/mcp-server/package.json': member('moon'),
    };
    expect(planOf(files).projectDir).toBe('packages/mcp-server');
  });

  it('with several equals asks, naming them all (trap 33)', () => {
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

describe('a package without a program', () => {
  const of = (fields: object, files: Record<string, string> = {}) =>
    refusalOf({ 'package.json': pkg(fields), ...files });

  it.each<[string, object, Record<string, string>, string]>([
    ['a Cloudflare Worker', { scripts: { start: 'wrangler dev' } }, { 'wrangler.jsonc': '{}' }, 'wrangler dev'],
    ['a Next.js site', { dependencies: { ...SDK, next: '15' }, scripts: { start: 'next start' } }, {}, 'next start'],
    ['a module for Smithery’s own runner', {}, { 'smithery.yaml': 'runtime: typescript\n' }, '@smithery/cli dev'],
    ['functions for a hosting platform', {}, { 'vercel.json': '{}' }, 'platform’s own tool'],
    ['an extension of VS Code', { engines: { vscode: '^1.90.0' }, main: 'out/extension.js' }, {}, 'Install it there'],
  ])('is %s: that is said, and what to do', (what, fields, files, todo) => {
    const refusal = of(fields, files);
    expect(refusal.code).toBe('DETECT_UNSUPPORTED');
    expect(refusal.message).toContain(what);
    expect(refusal.hint).toContain(todo);
  });

  it('is none of those where it names a program', () => {
    expect(starts(planOf({ 'package.json': pkg({ bin: 'i.js' }), 'wrangler.toml': '' }))).toEqual(['node i.js']);
  });

  it('has its servers below, where there are any', () => {
    const files = {
      'package.json': pkg({ scripts: { start: 'next start' }, dependencies: { next: '15' } }),
      'packages/server/package.json': pkg({ bin: 'i.js' }),
    };
    expect(planOf(files).projectDir).toBe('packages/server');
  });

  it('is a library, which is no server (trap 37)', () => {
    const types = { main: 'dist/index.js', types: 'dist/index.d.ts' };
    for (const [fields, files] of [
      [{ ...types, name: 'fastmcp', bin: { fastmcp: 'dist/bin.js' } }, {}],
      [
        { ...types, dependencies: {}, peerDependencies: SDK },
        { 'src/index.ts': 'export { McpServer } from "./x.js";' },
      ],
      [{ ...types, exports: './dist/index.js' }, { 'src/index.ts': 'export const add = () => 1;' }],
    ] as const) {
      const refusal = of(fields, files);
      expect(refusal).toMatchObject({ code: 'DETECT_NOT_A_SERVER', message: expect.stringContaining('is a library') });
      expect(refusal.hint).toContain('example');
    }
  });
});

describe('a build although the program is there', () => {
  const tsconfig = { 'tsconfig.json': '{"compilerOptions": {"outDir": "dist"}}' };
  const plan = (files: Record<string, string>, bin = 'bin/run.js') =>
    planOf({ 'package.json': pkg({ bin, scripts: { build: 'tsc' } }), [bin]: '', ...tsconfig, ...files });

  it('is where it loads what a compiler writes, without naming it', () => {
    expect(plan({ 'src/index.ts': '' }).rebuild).toBe(true);
    expect(plan({ 'src/index.ts': '', 'dist/index.js': '' }).rebuild).toBeUndefined();
    expect(plan({ 'lib/index.js': '' }).rebuild, 'plain JavaScript').toBeUndefined();
  });

  it('is where sources came after it was committed', () => {
    const sources = (...names: string[]) => Object.fromEntries(names.map((name) => [`src/${name}.ts`, '']));
    const out = (...names: string[]) => Object.fromEntries(names.map((name) => [`dist/${name}.js`, '']));
    const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect(plan({ ...sources(...all), ...out('a', 'b', 'c', 'd') }, 'dist/a.js').rebuild).toBe(true);
    expect(plan({ ...sources(...all), ...out(...all) }, 'dist/a.js').rebuild).toBeUndefined();
    expect(plan({ ...sources(...all), ...out('a') }, 'dist/a.js').rebuild, 'a bundle').toBeUndefined();
  });
});

it('compiles barely where the build script fails', () => {
  const manifest = { bin: 'dist/i.js', scripts: { build: 'eslint . && tsc' }, devDependencies: { typescript: '5' } };
  const tsconfig = { 'tsconfig.json': '{"compilerOptions": {"outDir": "dist"}}' };
  const plan = planOf({ 'package.json': pkg(manifest), ...tsconfig });
  expect(plan.buildOtherwise).toMatchObject([{ program: 'tsc', args: expect.arrayContaining(['--noEmitOnError']) }]);
  expect(planOf({ 'package.json': pkg(manifest), ...tsconfig }, { overrides: { build: [['make']] } })).toMatchObject({
    build: [{ program: 'make' }],
    buildOtherwise: [],
  });
});

describe('the Node that is taken when the first one is too old', () => {
  const newer = (files: Record<string, string>, engines?: string) =>
    planOf({ 'package.json': pkg({ bin: 'i.js', ...(engines && { engines: { node: engines } }) }), ...files })
      .newerTools;

  it.each<[string, Record<string, string>, string | undefined, string]>([
    ['today’s long-term one', {}, undefined, '>=24'],
    ['the one that its authors use', { '.nvmrc': 'v22.11.0\n' }, undefined, '>=22.11.0'],
    ['the one of .tool-versions', { '.tool-versions': 'nodejs 22.1.0\n' }, undefined, '>=22.1.0'],
    ['not what is as old', { '.node-version': '18\n' }, undefined, '>=24'],
    ['not what engines forbids', { '.nvmrc': '24' }, '>=20 <23', '^22'],
  ])('is %s', (_, files, engines, version) => {
    expect(newer(files, engines)).toEqual([{ name: 'node', version }]);
  });

  it('is none where engines allows none', () => {
    expect(newer({}, '^18')).toBeUndefined();
  });
});

describe('install scripts of dependencies', () => {
  const plan = (packageManager: string, allowScripts?: true | string[]) =>
    planOf(
      { 'package.json': pkg({ bin: 'i.js', packageManager }) },
      { overrides: allowScripts === undefined ? {} : { allowScripts } },
    );
  const first = (packageManager: string, allowScripts?: true | string[]) =>
    plan(packageManager, allowScripts).install[0];
  const envOf = (packageManager: string, allowScripts?: true | string[]) =>
    first(packageManager, allowScripts)?.steps.find(({ env }) => env !== undefined)?.env ?? {};

  it('are the package manager’s to decide (trap 10)', () => {
    for (const manager of ['npm@12.0.0', 'pnpm@10.4.0', 'yarn@4.14.0', 'bun@1.2.0']) {
      expect(Object.keys(envOf(manager)).filter((name) => /ALLOW_ALL|allow_all|ENABLE_SCRIPTS/.test(name))).toEqual([]);
    }
  });

  it('run where the project names a release that ran them', () => {
    expect(envOf('pnpm@9.1.0')).toMatchObject({ NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_BUILDS: 'true' });
    expect(envOf('yarn@4.5.0')).toMatchObject({ YARN_ENABLE_SCRIPTS: 'true' });
  });

  it('run after the install for those that the owner names', () => {
    const steps = first('npm@12.0.0', ['sharp', '@a/b'])?.steps ?? [];
    expect(steps.slice(1).map(({ args }) => args)).toEqual([
      ['rebuild', 'sharp'],
      ['rebuild', '@a/b'],
    ]);
    expect(steps[0]?.env).not.toHaveProperty('NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_SCRIPTS');
    expect(steps[1]?.env).toHaveProperty('NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_SCRIPTS');
    expect(first('bun@1.2.0', ['sharp'])?.afterwards?.[0]?.args).toEqual(['pm', 'trust', 'sharp']);
    expect(first('yarn@1.22.0', ['sharp'])?.steps).toHaveLength(1);
  });

  it('all run when the owner says so, and npm fetches from git', () => {
    expect(envOf('npm@12.0.0', true)).toMatchObject({
      NPM_CONFIG_DANGEROUSLY_ALLOW_ALL_SCRIPTS: 'true',
      NPM_CONFIG_ALLOW_GIT: 'all',
    });
    expect(first('bun@1.2.0', true)?.afterwards?.[0]?.args).toEqual(['pm', 'trust', '--all']);
  });

  it('run one by one where the install had to do without, for modules that are of no use otherwise', () => {
    const lock = {
      packages: {
        'node_modules/sqlite3': { hasInstallScript: true },
        'node_modules/puppeteer': { hasInstallScript: true },
        'node_modules/esbuild': { hasInstallScript: true, dev: true },
      },
    };
    const made = planOf({ 'package.json': pkg({ bin: 'i.js' }), 'package-lock.json': json(lock) });
    const rung = made.install.find(({ id }) => id === 'npm-ci-no-scripts');
    expect(rung?.afterwards?.map(({ args }) => args)).toEqual([['rebuild', 'sqlite3']]);
    const direct = planOf({ 'package.json': pkg({ bin: 'i.js', dependencies: { sharp: '1', ms: '2' } }) });
    expect(direct.install.find(({ id }) => id === 'npm-install-no-scripts')?.afterwards).toHaveLength(1);
  });
});

describe('the ladder of', () => {
  const LOCKS = { npm: 'package-lock.json', pnpm: 'pnpm-lock.yaml', bun: 'bun.lock', yarn: 'yarn.lock' } as const;
  const ladder = (manager: keyof typeof LOCKS, locked: boolean, fields: object = {}) =>
    planOf({
      'package.json': pkg({ bin: 'i.js', dependencies: { puppeteer: '23' }, ...fields }),
      ...(locked ? { [LOCKS[manager]]: manager === 'yarn' ? '# yarn lockfile v1\n' : '' } : {}),
    }).install;

  it.each<[keyof typeof LOCKS, boolean, object, string[]]>([
    [
      'npm',
      true,
      {},
      [
        'npm-ci',
        'npm-ci-no-downloads',
        'npm-ci-no-scripts',
        'npm-ci-own-registry',
        'npm-install',
        'npm-install-no-lock',
        'npm-install-legacy-peers',
        'npm-install-no-scripts',
        'npm-as-of-commit',
        'npm-as-of-commit-no-downloads',
        'npm-as-of-commit-legacy-peers',
        'npm-as-of-commit-no-scripts',
      ],
    ],
    [
      'pnpm',
      true,
      {},
      [
        'pnpm-frozen',
        'pnpm-frozen-no-downloads',
        'pnpm-frozen-no-scripts',
        'pnpm-install',
        'pnpm-no-lock',
        'pnpm-no-scripts',
        'pnpm-as-of-commit',
        'pnpm-as-of-commit-no-downloads',
        'pnpm-as-of-commit-no-scripts',
      ],
    ],
    [
      'yarn',
      true,
      {},
      [
        'yarn-frozen',
        'yarn-frozen-no-downloads',
        'yarn-frozen-no-scripts',
        'yarn-install',
        'yarn-no-lock',
        'yarn-no-scripts',
        'npm-instead',
        'npm-instead-no-scripts',
        'npm-as-of-commit',
        'npm-as-of-commit-no-downloads',
        'npm-as-of-commit-legacy-peers',
        'npm-as-of-commit-no-scripts',
      ],
    ],
    [
      'bun',
      true,
      {},
      [
        'bun-frozen',
        'bun-frozen-no-downloads',
        'bun-frozen-no-scripts',
        'bun-install',
        'bun-no-scripts',
        'npm-instead',
        'npm-instead-no-scripts',
      ],
    ],
    [
      'yarn',
      false,
      { packageManager: 'yarn@4.5.0' },
      ['yarn-install', 'yarn-no-scripts', 'npm-instead', 'npm-instead-no-scripts', 'yarn-as-of-commit'],
    ],
    [
      'yarn',
      false,
      { packageManager: 'yarn@3.6.0' },
      [
        'yarn-install',
        'yarn-no-scripts',
        'npm-instead',
        'npm-instead-no-scripts',
        'npm-as-of-commit',
        'npm-as-of-commit-no-downloads',
        'npm-as-of-commit-legacy-peers',
        'npm-as-of-commit-no-scripts',
      ],
    ],
    [
      'npm',
      false,
      { dependencies: SDK },
      [
        'npm-install-no-lock',
        'npm-install-legacy-peers',
        'npm-install-no-scripts',
        'npm-as-of-commit',
        'npm-as-of-commit-legacy-peers',
        'npm-as-of-commit-no-scripts',
      ],
    ],
    [
      'npm',
      false,
      { dependencies: SDK, devDependencies: { eslint: '9', typescript: '5' } },
      [
        'npm-install-no-lock',
        'npm-install-legacy-peers',
        'npm-install-no-scripts',
        'npm-as-of-commit',
        'npm-as-of-commit-legacy-peers',
        'npm-as-of-commit-no-scripts',
        'npm-without-dev-tools',
      ],
    ],
  ])('%s (lock: %s, %j)', (manager, locked, fields, ids) => {
    expect(ladder(manager, locked, fields).map(({ id }) => id)).toEqual(ids);
  });

  it.each([
    ['npm', {}, 'npm-own-registry'],
    ['pnpm', { packageManager: 'pnpm@10.0.0' }, 'pnpm-own-registry'],
  ])('%s turns from a registry that the project names to the caller’s own', (_, fields, id) => {
    const files = { 'package.json': pkg({ bin: 'i.js', ...fields }), '.npmrc': 'registry=https://near.example/\n' };
    const rung = planOf(files).install.find(({ cures }) => cures.includes('network' as never));
    expect(rung?.id).toBe(id);
    expect(rung?.steps[0]?.args).toEqual(['config', 'delete', 'registry', '--location=project']);
  });

  it('npm does without what only its authors can reach', () => {
    const [remove, install] =
      ladder('npm', false, { devDependencies: { '@acme/lint': '1', typescript: '5' } }).at(-1)?.steps ?? [];
    expect(remove?.args).toEqual(['pkg', 'delete', 'devDependencies.@acme/lint']);
    expect(install?.args).toContain('--ignore-scripts');
  });

  it('each manager marks what a date does not change, and gives the date in its own way', () => {
    const ofDate = (manager: keyof typeof LOCKS, fields: object = {}) =>
      JSON.stringify(ladder(manager, false, fields).find(({ asOfCommit }) => asOfCommit)?.steps);
    expect(ofDate('npm')).toContain('--before={date}');
    expect(ofDate('pnpm', { packageManager: 'pnpm@10.0.0' })).toContain('minimum-release-age={minutes}');
    expect(ofDate('bun', { packageManager: 'bun@1.3.0' })).toContain('--minimum-release-age={seconds}');
    expect(ofDate('yarn', { packageManager: 'yarn@4.5.0' })).toContain('"YARN_NPM_MINIMAL_AGE_GATE":"{minutes}"');
    for (const manager of ['npm', 'pnpm', 'yarn', 'bun'] as const) expect(ladder(manager, true)[0]?.frozen).toBe(true);
  });
});
