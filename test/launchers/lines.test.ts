import { expect, it } from 'vitest';
import { withLines } from '../../launchers/lines.ts';
import { createFileView } from '../support/file-view.ts';
import { planOf, refusalOf } from './plan-of.ts';

const files = {
  'package.json': [
    '{',
    '  "name": "acme-mcp",',
    '  "bin": {',
    '    "acme-mcp": "dist/index.js"',
    '  },',
    '  "engines": { "node": ">=20" },',
    '  "dependencies": { "@modelcontextprotocol/sdk": "^1" }',
    '}',
  ].join('\n'),
};

it('evidence names the line that says it', () => {
  const lines = planOf(files).evidence.map(({ says, line }) => [says, line]);
  expect(lines).toContainEqual(['bin acme-mcp is dist/index.js', 4]);
  expect(lines).toContainEqual(['depends on @modelcontextprotocol/sdk', 7]);
  expect(lines).toContainEqual(['wants Node >=20', 6]);
});

it('evidence of a whole file names none, and a line that is known stays', () => {
  const plan = {
    ...planOf(files),
    evidence: [
      { file: 'package.json', says: 'looks like a server' },
      { file: 'package.json', line: 99, says: 'depends on @modelcontextprotocol/sdk' },
      { file: 'gone.json', says: 'names acme-mcp' },
    ],
  };
  expect(withLines(createFileView(files), plan).evidence.map(({ line }) => line)).toEqual([undefined, 99, undefined]);
});

it('a refusal’s evidence has its lines too', () => {
  const refusal = refusalOf({ 'package.json': '{\n "name": "notes",\n "main": "lib/notes.js", "types": "x.d.ts"\n}' });
  expect(refusal.evidence.find(({ says }) => says.includes('lib/notes.js'))?.line).toBe(3);
});
