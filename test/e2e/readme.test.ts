import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Fenced blocks in order; `output` is the unnamed block that follows, if any comes before the next named one. */
const blocks = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language,
  text: text?.trimEnd() ?? '',
}));
const outputOf = (text: string) => blocks[blocks.findIndex((block) => block.text === text) + 1]?.text;
const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
const snippets = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);

/** A copy of what git tracks (or would), with an empty HOME: a newcomer's clone. */
describe('the README', { timeout: 600_000 }, () => {
  let folder: string;
  let clone: string;
  let env: NodeJS.ProcessEnv;
  const sh = (command: string) => execa('sh', ['-c', command], { cwd: clone, env, extendEnv: false, all: true });

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-supervisor-readme-')));
    clone = join(folder, 'mcp-supervisor');
    const { stdout } = await execa('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
    for (const file of stdout.split('\n')) {
      mkdirSync(dirname(join(clone, file)), { recursive: true });
      cpSync(join(root, file), join(clone, file));
    }
    const home = join(folder, 'home');
    mkdirSync(home);
    env = {
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|XDG_|MCP_)/i.test(name)),
      ),
      HOME: home,
    };
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the commands that this suite runs, and no other', () => {
    expect(commands).toEqual([
      'npm ci && npm start --silent -- call ./fixtures/plugins/node-stdio echo message=hello',
      'npm ci && npm test',
      // `package.test.ts` runs this one on the packed tarball.
      'npx mcp-supervisor call <git url> <tool> [name=value …]',
      // `readme-gateway.test.ts` runs this one.
      `curl -s http://127.0.0.1:7420/plugins/demo -d '{"tool": "echo", "arguments": {"message": "hello"}}'`,
    ]);
    expect(snippets).toHaveLength(2);
  });

  it('sets up, builds and calls a tool with its first command', async () => {
    const { stdout } = await sh(commands[0]!);
    expect(stdout.split('\n').at(-1)).toBe(outputOf(commands[0]!));
  });

  it('tests with its second command', async () => {
    // The whole suite is running already: two files of it stand for the rest.
    const { all } = await sh(`${commands[1]} -- test/errors.test.ts test/source.test.ts`);
    expect(all).toMatch(/Test Files\s+.*2 passed/);
  });

  it.each([
    { name: 'library example', at: 0, lines: 12 },
    { name: 'runtime of one’s own', at: 1, lines: 24 },
  ])('shows the real output of its $name', async ({ at, lines }) => {
    const snippet = snippets[at]!;
    expect(snippet.split('\n').length).toBeLessThanOrEqual(lines);
    writeFileSync(join(clone, 'example.mjs'), snippet);
    const { stdout } = await sh('node example.mjs');
    expect(stdout).toBe(outputOf(snippet));
  });
});
