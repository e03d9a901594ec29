import { expect, it } from 'vitest';
import { toolsAsText } from '../../src/cli/render-tools.ts';
import { createStyle } from '../../src/cli/terminal.ts';

const tools = [
  {
    name: 'echo',
    description: 'Returns the message\nand more',
    inputSchema: { properties: { message: { type: 'string' } }, required: ['message'] },
  },
  { name: 'pid', description: 'This process' },
  { name: 'silent' },
  {
    name: 'search',
    description: 'Searches far and wide',
    inputSchema: {
      properties: { query: { type: 'string' }, language: { type: 'string' }, limit: { type: 'integer', default: 10 } },
      required: ['query'],
    },
  },
];
const shown = (columns: number) => toolsAsText(tools, { style: createStyle(false), columns: () => columns });

it('aligns the descriptions; a long signature has its own line', () => {
  expect(shown(Number.POSITIVE_INFINITY)).toBe(`echo message:string  Returns the message
pid                  This process
silent
search query:string [language:string] [limit:integer=10]
    Searches far and wide
`);
});

it('stays within a narrow terminal', () => {
  const lines = shown(30).trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
  expect(shown(30)).toContain('search query:string\n      [language:string]\n      [limit:integer=10]\n');
});

it('escapes what a server could use to fool the reader', () => {
  const evil = [{ name: 'a\u001b[31m', description: '\u202edown' }];
  expect(toolsAsText(evil, { style: createStyle(false), columns: () => 80 })).toBe('a\\u{1b}[31m  \\u{202e}down\n');
});
