import { describe, expect, it } from 'vitest';
import { readSmitheryCommand } from '../../launchers/smithery.ts';
import { createFileView } from '../support/file-view.ts';
import { json, planOf, SDK, starts } from './plan-of.ts';

const smithery = (body: string) => ({
  'smithery.yaml': `startCommand:\n  type: stdio\n  commandFunction: |-\n    ${body.replaceAll('\n', '\n    ')}\n`,
});
const wordsOf = (body: string) => readSmitheryCommand(createFileView(smithery(body)), '');

describe('the command of a smithery.yaml', () => {
  it.each([
    [
      "(config) => ({ command: 'node', args: ['build/index.js'], env: { K: config.k } })",
      ['node', 'build/index.js'],
      true,
    ],
    ['config => ({"command": "uv", "args": ["run",\n "server.py"\n]})', ['uv', 'run', 'server.py'], true],
    ["(config) => ({\n  // starts it\n  command: 'acme', args: []\n})", ['acme'], true],
    ["(c) => ({command: 'acme'})", ['acme'], true],
    ["(c) => ({command: 'node', args: ['a.js', '--dir', c.dir, '--x']})", ['node', 'a.js', '--dir'], false],
    ["(c) => ({command: 'node', args: ['a.js'].concat(c.x ? ['--x', c.x] : [])})", ['node', 'a.js'], false],
  ])('%s', (body, words, isWhole) => {
    expect(wordsOf(body)).toEqual({ file: 'smithery.yaml', words, isWhole });
  });

  it.each(['(c) => { return make(c) }', '(c) => ({command: c.program, args: []})', 'while (true) {}'])(
    'is not read from %s, and nothing is run',
    (body) => {
      expect(wordsOf(body)).toBeNull();
    },
  );
});

describe('what others say of the start', () => {
  const files = {
    'package.json': json({
      name: 'acme-mcp',
      bin: { 'acme-mcp': 'dist/index.js' },
      scripts: { build: 'tsc' },
      dependencies: SDK,
    }),
  };

  it('confirms the plan, with the line where it stands', () => {
    const plan = planOf({ ...files, Dockerfile: 'FROM node\nWORKDIR /app\nCMD ["node", "/app/dist/index.js"]\n' });
    expect(starts(plan)).toEqual(['node dist/index.js']);
    expect(plan.evidence.at(-1)).toEqual({
      file: 'Dockerfile',
      line: 3,
      says: 'starts the same program: node dist/index.js',
    });
  });

  it('is a last way to start where it differs', () => {
    const plan = planOf({
      ...files,
      Dockerfile: 'FROM node\nWORKDIR /app\nENTRYPOINT ["tini", "--", "node", "dist/http.js"]\n',
    });
    expect(starts(plan)).toEqual(['node dist/index.js', 'node dist/http.js']);
    expect(plan.start.at(-1)?.id).toBe('dockerfile');
  });

  it('is nothing where it starts what only the image has', () => {
    const plan = planOf({ ...files, Dockerfile: 'FROM node\nCMD ["/usr/local/bin/docker-entrypoint.sh", "x"]\n' });
    expect(starts(plan)).toEqual(['node dist/index.js']);
    expect(plan.evidence.filter(({ file }) => file === 'Dockerfile')).toEqual([]);
  });

  it('counts a Procfile last', () => {
    const plan = planOf({ ...files, Procfile: 'release: node migrate.js\nweb: node dist/web.js\n' });
    expect(starts(plan).at(-1)).toBe('node dist/web.js');
    expect(plan.evidence.at(-1)).toMatchObject({ file: 'Procfile', line: 2 });
  });
});
