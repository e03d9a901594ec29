import { describe, expect, it } from 'vitest';
import { json, planOf, SDK, starts, toolOf } from './plan-of.ts';

const SERVER =
  'import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";\nconst server = new McpServer({});\n';
const pkg = (fields: object): string => json({ name: 'weather', dependencies: SDK, ...fields });
const BUILT = { bin: './dist/index.js', scripts: { build: 'tsc' } };

describe('a program that only Bun can run', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'by its first line',
      { 'package.json': pkg({ bin: './src/index.ts' }), 'src/index.ts': `#!/usr/bin/env bun\n${SERVER}` },
      'bun src/index.ts',
    ],
    [
      'by a module of Bun’s',
      { 'package.json': pkg(BUILT), 'src/index.ts': `import { Database } from "bun:sqlite";\n${SERVER}` },
      'bun dist/index.js',
    ],
    [
      'by a module of Bun’s two imports further, written as JavaScript',
      {
        'package.json': pkg({ bin: './src/index.ts', dependencies: { ...SDK, tsx: '^4' } }),
        'src/index.ts': `#!/usr/bin/env node\nimport { tools } from "./tools.js";\n${SERVER}`,
        'src/tools.ts': 'import { db } from "./db/";',
        'src/db/index.ts': 'import { Database } from "bun:sqlite";',
      },
      'bun src/index.ts',
    ],
    [
      'by a call of Bun’s',
      { 'package.json': pkg(BUILT), 'src/index.ts': `${SERVER}const text = await Bun.file("x").text();` },
      'bun dist/index.js',
    ],
    [
      'by its shell',
      { 'package.json': pkg({ bin: './index.ts' }), 'index.ts': `import { $ } from "bun";\n${SERVER}` },
      'bun index.ts',
    ],
    [
      'by what its build is for',
      {
        'package.json': pkg({ ...BUILT, scripts: { build: 'bun build ./src/index.ts --outdir dist --target=bun' } }),
        'src/index.ts': SERVER,
      },
      'bun dist/index.js',
    ],
  ])('%s', (_, files, expected) => {
    const plan = planOf(files);
    expect(starts(plan)[0]).toBe(expected);
    expect(toolOf(plan, 'bun')).toEqual({ name: 'bun', version: null });
  });
});

describe('a program that Node runs, though Bun installs or builds it', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'built for Node',
      {
        'package.json': pkg({ ...BUILT, scripts: { build: 'bun build ./src/index.ts --outdir dist --target node' } }),
        'bun.lock': '{}',
        'src/index.ts': SERVER,
      },
      'node dist/index.js',
    ],
    [
      'asks whether Bun is there',
      {
        'package.json': pkg(BUILT),
        'src/index.ts': `${SERVER}const read = typeof Bun === "undefined" ? node : Bun.file("x");`,
      },
      'node dist/index.js',
    ],
    [
      'has a first line for Node',
      { 'package.json': pkg(BUILT), 'src/index.ts': `#!/usr/bin/env node\n${SERVER}if (useBun) Bun.serve({});` },
      'node dist/index.js',
    ],
    [
      'names Bun in a comment',
      { 'package.json': pkg(BUILT), 'src/index.ts': `// unlike Bun.file("x")\n/* from "bun:sqlite" */\n${SERVER}` },
      'node dist/index.js',
    ],
    [
      'imports its type alone elsewhere',
      { 'package.json': pkg(BUILT), 'src/index.ts': SERVER, 'scripts/build.ts': 'import { $ } from "bun";' },
      'node dist/index.js',
    ],
  ])('%s', (_, files, expected) => {
    expect(starts(planOf(files))[0]).toBe(expected);
  });
});

describe('TypeScript that nothing compiles', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'what `bun init` makes',
      { 'package.json': pkg({ module: 'index.ts', devDependencies: { '@types/bun': 'latest' } }), 'index.ts': SERVER },
      'bun index.ts',
    ],
    [
      'src/index.ts beside Bun’s lock',
      { 'package.json': pkg({}), 'bun.lock': '{}', 'src/index.ts': SERVER },
      'bun src/index.ts',
    ],
    [
      'a bin without Bun or tsx among the dependencies',
      { 'package.json': pkg({ bin: './src/index.ts' }), 'src/index.ts': SERVER },
      'bun src/index.ts',
    ],
    [
      'a start script',
      { 'package.json': pkg({ scripts: { start: 'bun run --hot src/main.ts' } }), 'src/main.ts': SERVER },
      'bun src/main.ts',
    ],
  ])('is run with Bun: %s', (_, files, expected) => {
    expect(starts(planOf(files))[0]).toBe(expected);
  });

  it('a program that the build compiles with its runtime is run as it is', () => {
    const files = {
      'package.json': pkg({
        bin: './dist/weather',
        scripts: { build: 'bun build src/index.ts --compile --outfile dist/weather' },
      }),
      'src/index.ts': SERVER,
    };
    const [first] = planOf(files).start;
    expect(first).toMatchObject({ entry: 'dist/weather', command: { program: './dist/weather', args: [] } });
  });
});
