import { describe, expect, it } from 'vitest';
import { plainJson } from '../../launchers/jsonc.ts';

describe('JSON with comments', () => {
  it.each<[string, string, unknown]>([
    ['line and block comments', '{ // one\n "a": 1, /* two\n lines */ "b": 2 }', { a: 1, b: 2 }],
    [
      'trailing commas, also before a comment',
      '{ "a": [1, 2,], "b": { "c": 3, }, // end\n }',
      { a: [1, 2], b: { c: 3 } },
    ],
    [
      'what looks like a comment or a comma in a string',
      '{ "a": "http://x/*y*/", "b": ",]", "c": "\\"//,}" }',
      { a: 'http://x/*y*/', b: ',]', c: '"//,}' },
    ],
    ['plain JSON', '{"a":[true,null]}', { a: [true, null] }],
    ['a comment at the very end', '{}\n// done', {}],
  ])('reads %s', (_, text, expected) => {
    expect(JSON.parse(plainJson(text))).toEqual(expected);
  });

  it('keeps every line where it is', () => {
    const text = '{\n  // one\n  "a": 1, /* two\n  three */\n  "b": ,\n}';
    const plain = plainJson(text);
    expect(plain.split('\n')).toHaveLength(text.split('\n').length);
    expect(plain.indexOf('"b"')).toBe(text.indexOf('"b"'));
  });
});
