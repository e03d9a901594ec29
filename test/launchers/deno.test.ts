import { describe, expect, it } from 'vitest';
import { createDenoLauncher } from '../../launchers/deno.ts';
import type { LaunchPlan } from '../../launchers/plan.ts';
import { createFileView } from '../support/file-view.ts';
import { starts as allStarts, json, planOf, refusalOf, rungs, SDK, toolOf } from './plan-of.ts';

/** Without the last resort, which has its own test. */
const starts = (plan: LaunchPlan) => allStarts({ ...plan, start: plan.start.filter(({ id }) => !id.endsWith('#all')) });

const IMPORTS = { '@modelcontextprotocol/sdk': 'npm:@modelcontextprotocol/sdk@^1.18.0' };
const MAIN =
  'import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";\nconst server = new McpServer({});\nawait server.connect(new StdioServerTransport());\n';
const config = (fields: object): string => json({ imports: IMPORTS, ...fields });

describe('the start of a Deno project', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'the task start, with its permissions and no more',
      {
        'deno.json': config({
          tasks: {
            dev: 'deno run --watch -A main.ts',
            start: 'deno run --allow-net=api.example --allow-env=KEY main.ts',
          },
        }),
        'main.ts': MAIN,
      },
      ['deno run --allow-net=api.example --allow-env=KEY main.ts'],
    ],
    [
      'a task written as an object, in a file with comments',
      {
        'deno.jsonc': `{ // tasks\n "imports": ${json(IMPORTS)}, "tasks": { "start": { "command": "deno run -A src/main.ts", }, }, }`,
        'src/main.ts': MAIN,
      },
      ['deno run -A src/main.ts'],
    ],
    [
      'the task that another one calls, with its variables and arguments',
      {
        'deno.json': config({ tasks: { start: 'deno task mcp', mcp: 'MODE=x deno run -N cli.ts serve --stdio' } }),
        'cli.ts': MAIN,
      },
      ['deno run -N cli.ts serve --stdio'],
    ],
    [
      'stdio before HTTP, whatever the tasks are called',
      {
        'deno.json': config({ tasks: { start: 'deno run -A main.ts --http', 'start:stdio': 'deno run -A main.ts' } }),
        'main.ts': MAIN,
      },
      ['deno run -A main.ts', 'deno run -A main.ts --http'],
    ],
    [
      'a development task without what is for development',
      {
        'deno.json': config({ tasks: { dev: 'deno run --watch --inspect --env-file=.env -E main.ts' } }),
        'main.ts': MAIN,
      },
      ['deno run -E main.ts'],
    ],
    [
      '`deno serve` at a leased port',
      {
        'deno.json': config({ tasks: { serve: 'deno serve --port 8000 -A http.ts' } }),
        'http.ts': 'export default { fetch() {} }',
      },
      ['deno serve -A --host {host} --port {port} http.ts'],
    ],
    [
      'the export for stdio, where no task says how',
      {
        'deno.json': config({ exports: { '.': './mod.ts', './stdio': './bin/stdio.ts' } }),
        'mod.ts': 'export * from "./server.ts";',
        'bin/stdio.ts': `#!/usr/bin/env -S deno run --allow-read\n${MAIN}`,
      },
      ['deno run --allow-read bin/stdio.ts'],
    ],
    [
      'main.ts alone, by its imports',
      { 'main.ts': `import { z } from "npm:zod@3";\n${MAIN}` },
      ['deno run -A main.ts'],
    ],
    [
      'main.ts that starts what lies in src',
      {
        'deno.json': config({}),
        'main.ts': 'import { serve } from "./src/server.ts";\nawait serve();\n',
        'src/server.ts': 'new McpServer({})',
      },
      ['deno run -A main.ts'],
    ],
  ])('is %s', (_, files, expected) => {
    const plan = planOf(files);
    expect(starts(plan)).toEqual(expected);
    expect(plan).toMatchObject({ launcher: 'deno', runtime: 'deno' });
    expect(toolOf(plan, 'deno')).toEqual({ name: 'deno', version: '>=2.0.0' });
  });

  it('keeps the variables that a task sets', () => {
    const files = { 'deno.json': config({ tasks: { start: 'MODE=quiet deno run -A main.ts' } }), 'main.ts': MAIN };
    expect(planOf(files).start[0]?.command.env).toEqual({ MODE: 'quiet' });
  });

  it('says which tasks it passed over, and why', () => {
    const tasks = {
      start: 'deno run -A main.ts',
      inspect: 'npx inspector deno task start',
      bump: 'deno run -A scripts/bump.ts',
      gone: 'deno run -A gone.ts',
      home: 'deno run --allow-write=$HOME/x main.ts',
    };
    const { passedOver } = planOf({ 'deno.json': config({ tasks }), 'main.ts': MAIN, 'scripts/bump.ts': '' });
    const why = Object.fromEntries(passedOver.map((each) => [each.what.split(':')[0], each.why]));
    expect(why).toEqual({
      'task inspect': 'is no call of deno',
      'task bump': 'is not how the server is started',
      'task gone': 'names no file that is there',
      'task home': 'uses $HOME, which only a shell would fill in',
    });
  });
});

describe('the permissions of a Deno program', () => {
  const files = (more: Record<string, string>, main = MAIN) => ({
    'deno.json': config({ tasks: { start: 'deno run main.ts' } }),
    'main.ts': main,
    ...more,
  });
  it.each<[string, Record<string, string>, string]>([
    [
      'another task’s for the same file',
      { 'deno.json': config({ tasks: { start: 'deno run main.ts', dev: 'deno run --watch -N -E main.ts' } }) },
      '-N -E',
    ],
    ['its first line’s', { 'main.ts': `#!/usr/bin/env -S deno run --allow-net\n${MAIN}` }, '--allow-net'],
    [
      'a line of the README’s',
      { 'README.md': '```bash\ndeno run --allow-read --allow-net main.ts\n```' },
      '--allow-read --allow-net',
    ],
    [
      'a client’s configuration in the README',
      { 'README.md': '"command": "deno", "args": ["run", "--allow-env=A,B", "/path/to/main.ts"]' },
      '--allow-env=A,B',
    ],
    ['those of the published program', { 'README.md': '`deno run --allow-sys jsr:@acme/weather`' }, '--allow-sys'],
    [
      'those of an installed one',
      { 'README.md': '    deno install -g --allow-net --name weather main.ts' },
      '--allow-net',
    ],
    ['the Dockerfile’s', { Dockerfile: 'FROM deno\nCMD ["run", "-R", "main.ts"]' }, '-R'],
  ])('are %s', (_, more, expected) => {
    const plan = planOf(files(more));
    expect(starts(plan)).toEqual([`deno run ${expected} main.ts`]);
    expect(plan.evidence.some(({ says }) => says.includes(expected))).toBe(true);
  });

  it('are all, and shown as such, where nothing names any', () => {
    const plan = planOf(files({}));
    expect(starts(plan)).toEqual(['deno run -A main.ts']);
    expect(plan.evidence).toContainEqual({
      file: 'main.ts',
      says: 'nothing names its permissions: all are allowed (-A)',
    });
  });
});

describe('the install of a Deno project', () => {
  const files = { 'deno.json': config({ tasks: { start: 'deno run -A main.ts' } }), 'main.ts': MAIN };
  it('fetches what the entry imports', () => {
    const plan = planOf(files);
    expect(rungs(plan)).toEqual(['deno-install', 'deno-install-as-of-commit']);
    expect(plan.install[0]?.steps[0]?.args).toEqual(['install', '--entrypoint', 'main.ts']);
  });

  it('holds to a lock, then lets it be changed, then does without', () => {
    const plan = planOf({ ...files, 'deno.lock': '{}' });
    expect(rungs(plan)).toEqual([
      'deno-install-frozen',
      'deno-install',
      'deno-install-no-lock',
      'deno-install-as-of-commit',
    ]);
    expect(plan.install[0]?.steps[0]?.args).toContain('--frozen');
    expect(plan.install[2]?.steps[0]?.args.at(-1)).toBe('Deno.removeSync("deno.lock")');
  });

  it('takes no notice of a lock that is switched off', () => {
    const off = {
      ...files,
      'deno.json': config({ lock: false, tasks: { start: 'deno run -A main.ts' } }),
      'deno.lock': '{}',
    };
    expect(rungs(planOf(off))[0]).toBe('deno-install');
  });

  it('uses the lock of the workspace around a member', () => {
    const member = {
      'packages/a/deno.json': config({ tasks: { start: 'deno run -A main.ts' } }),
      'packages/a/main.ts': MAIN,
    };
    const root = { 'deno.json': json({ workspace: ['./packages/a'] }), 'deno.lock': '{}' };
    const plan = planOf({ ...member, ...root }, { subdir: 'packages/a' });
    expect(plan.install[2]?.steps[0]?.args.at(-1)).toBe('Deno.removeSync("../../deno.lock")');
    expect(rungs(planOf({ ...member, 'deno.lock': '{}' }, { subdir: 'packages/a' }))[0]).toBe('deno-install');
  });
});

describe('whose a folder with a deno.json is', () => {
  const node = { name: 'weather', bin: './dist/index.js', scripts: { build: 'tsc' }, dependencies: SDK };
  const deno = { 'deno.json': config({ tasks: { start: 'deno run -A main.ts' } }), 'main.ts': MAIN };
  it.each<[string, Record<string, string>, string]>([
    ['Node’s, when the package has a program for Node', { ...deno, 'package.json': json(node) }, 'node'],
    [
      'Node’s, when it only publishes',
      {
        'deno.json': json({ name: '@a/w', exports: './src/index.ts' }),
        'package.json': json(node),
        'src/index.ts': MAIN,
      },
      'node',
    ],
    [
      'Deno’s, when the package only lists dependencies',
      { ...deno, 'package.json': json({ dependencies: SDK }) },
      'deno',
    ],
    [
      'Deno’s, when the package’s program is for Deno',
      {
        ...deno,
        'package.json': json({ ...node, bin: './main.ts' }),
        'main.ts': `#!/usr/bin/env -S deno run -A\n${MAIN}`,
      },
      'deno',
    ],
    [
      'Deno’s, when the package’s start runs Deno',
      { ...deno, 'package.json': json({ scripts: { start: 'deno run -A main.ts' }, dependencies: SDK }) },
      'deno',
    ],
  ])('%s', (_, files, expected) => {
    expect(planOf(files).launcher).toBe(expected);
  });

  it('is sure of a task with an SDK, less so without one', () => {
    expect(planOf(deno).confidence).toBe('high');
    expect(
      planOf({
        'deno.json': json({ tasks: { start: 'deno run -A main.ts' } }),
        'main.ts': 'Deno.serve(() => new Response())',
      }).confidence,
    ).toBe('medium');
  });

  it('wants what its source reads', () => {
    const files = { ...deno, 'main.ts': `${MAIN}Deno.env.get("ACME_KEY"); Deno.env.get('PORT')` };
    // The last two: the start looks for modules where the install put them.
    expect(planOf(files).wants.map(({ name }) => name)).toEqual(['ACME_KEY', 'DENO_DIR', 'XDG_CACHE_HOME']);
  });
});

describe('a Deno project that is refused', () => {
  it('is told what was looked for', () => {
    const refusal = refusalOf({
      'deno.json': json({ name: '@acme/lib', exports: './mod.ts' }),
      'mod.ts': 'export const x = 1;',
    });
    expect(refusal).toMatchObject({ code: 'DETECT_NOT_A_SERVER' });
    expect(refusal.message).toContain('@acme/lib is a Deno project');
  });

  it('names the file of a deno.json that can’t be read', () => {
    const refusal = refusalOf({ 'deno.json': '{\n  // broken\n  "tasks": {\n', 'main.ts': MAIN });
    expect(refusal).toMatchObject({ code: 'DETECT_BAD_MANIFEST' });
    expect(refusal.message).toMatch(/^deno\.json/);
  });
});

describe('what Deno prints', () => {
  const { explain, detect } = createDenoLauncher();
  const TRACE = '\n\nStack backtrace:\n   0: <unknown>\n';
  it.each<[string, string, string, RegExp]>([
    [
      'a registry of modules that is out of reach',
      `Download https://modules.example/@std/path/meta.json\nerror: JSR package manifest for '@std/path' failed to load. Import 'https://modules.example/@std/path/meta.json' failed.\n    at file:///x/b.ts:1:17${TRACE}`,
      'network',
      /modules\.example/,
    ],
    [
      'a host of modules that is out of reach',
      `error: Import 'https://modules.example/std/path/mod.ts' failed.\n    0: error sending request for url (https://modules.example/std/path/mod.ts): client error (Connect): dns error: failed to lookup address information: Name or service not known${TRACE}`,
      'network',
      /modules\.example/,
    ],
    [
      'a package registry that is out of reach',
      `error: Failed loading http://127.0.0.1:9/zod for package "zod"\n    0: error sending request for url (http://127.0.0.1:9/zod): client error (Connect): tcp connect error: Connection refused (os error 111)${TRACE}`,
      'network',
      /127\.0\.0\.1:9/,
    ],
    [
      'a package that there is not',
      `error: npm package 'nonexistent-pkg' does not exist.\n    at file:///x/d.ts:1:17${TRACE}`,
      'version-not-found',
      /nonexistent-pkg/,
    ],
    [
      'a version that there is not',
      `error: Could not find npm package 'zod' matching '99'.\n    at file:///x/f.ts:1:17${TRACE}`,
      'version-not-found',
      /zod/,
    ],
    [
      'a locked version that there is not',
      `error: Could not find version '3.20.0' for npm package 'hono'.${TRACE}`,
      'version-not-found',
      /hono/,
    ],
    [
      'a stale lock',
      `error: The lockfile is out of date. Run \`deno install --frozen=false\`, or rerun with \`--frozen=false\` to update it.\nchanges:\n 1 | +{\n${TRACE}`,
      'lock-out-of-date',
      /lock file/,
    ],
    [
      'a broken lock',
      "error: failed reading lockfile '/x/deno.lock'\n\nCaused by:\n    0: The lockfile is corrupt. Remove the lockfile to regenerate it.\n    1: Could not find 'zod@3.20.0' in the list of packages.",
      'lock-out-of-date',
      /lock file/,
    ],
    [
      'an import that nothing declares',
      `error: Import "zodd" not a dependency\n  hint: If you want to use the npm package, try running \`deno add npm:zodd\`${TRACE}`,
      'missing-module',
      /zodd/,
    ],
    [
      'a file that is not there',
      `error: Module not found "file:///x/nope.ts".\n    at file:///x/h.ts:1:17${TRACE}`,
      'entry-missing',
      /nope\.ts/,
    ],
    [
      'a permission that was not granted, in colours',
      '\u001b[0m\u001b[1m\u001b[31merror\u001b[0m: Uncaught (in promise) NotCapable: Requires env access to "FOO", run again with the --allow-env flag\nconsole.log(Deno.env.get("FOO"));',
      'unknown',
      /not allowed the env access/,
    ],
    [
      'an option of another version',
      "error: unexpected argument '--allow-foo' found\n\n  tip: a similar argument exists: '--allow-ffi'",
      'runtime-too-old',
      /another version of Deno/,
    ],
    [
      'a setting that is missing',
      'error: Uncaught (in promise) Error: API_KEY environment variable is required\nconst k = …',
      'missing-setting',
      /API_KEY/,
    ],
  ])('%s is told by its cause', (_, output, kind, detail) => {
    const cause = explain(output, { code: 1, signal: null });
    expect(cause.kind, cause.detail).toBe(kind);
    expect(cause.detail).toMatch(detail);
    expect(cause.detail).not.toContain('\u001b');
  });

  it('takes no Node file for Deno’s', () => {
    expect(
      detect(createFileView({ 'main.ts': 'import http from "node:http";\nhttp.createServer().listen(0)' }), ''),
    ).toBe(false);
  });
});

it('a task that grants too little is started with all permissions where its own way fails', () => {
  const tasks = { start: 'deno run --allow-net --allow-read=data main.ts serve' };
  expect(allStarts(planOf({ 'deno.json': config({ tasks }), 'main.ts': MAIN }))).toEqual([
    'deno run --allow-net --allow-read=data main.ts serve',
    'deno run -A main.ts serve',
  ]);
});
