import { describe, expect, it } from 'vitest';
import { toJson } from '../../src/cli/json.ts';
import { answerAsText, resultAsText } from '../../src/cli/render-result.ts';

const text = (value: string) => ({ type: 'text', text: value });

describe('the result of a tool', () => {
  it.each([
    ['one text', { content: [text('hello')] }, 'hello\n'],
    ['a text with its own newline', { content: [text('hello\n')] }, 'hello\n'],
    ['several texts', { content: [text('a'), text('b')] }, 'a\nb\n'],
    ['an empty text', { content: [text('')] }, ''],
    ['nothing', { content: [] }, ''],
    ['no content at all', {}, ''],
    ['text and its structured twin', { content: [text('{"a":1}')], structuredContent: { a: 1 } }, '{"a":1}\n'],
    ['structured content alone', { content: [], structuredContent: { a: 1 } }, '{\n  "a": 1\n}\n'],
    ['an image', { content: [{ type: 'image', mimeType: 'image/png', data: 'AAAA' }] }, '[image image/png, 3 B]\n'],
    [
      'a text resource',
      { content: [{ type: 'resource', resource: { uri: 'file:///a', mimeType: 'text/plain', text: 'hé' } }] },
      '[resource file:///a text/plain, 3 B]\n',
    ],
    [
      'a blob resource beside text',
      { content: [text('see'), { type: 'resource', resource: { uri: 'x://y', blob: 'A'.repeat(20_000) } }] },
      'see\n[resource x://y, 15.0 kB]\n',
    ],
    ['a link', { content: [{ type: 'resource_link', uri: 'file:///a', name: 'A' }] }, '[resource link file:///a A]\n'],
    ['a block of a later revision', { content: [{ type: 'hologram' }] }, '[hologram]\n'],
  ])('%s', (_, result, expected) => {
    expect(resultAsText(result)).toBe(expected);
  });
});

it('shows the answer of a plain HTTP plugin as text or JSON', () => {
  expect(answerAsText('plain')).toBe('plain\n');
  expect(answerAsText({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}\n');
});

it('writes JSON that is the same value with nothing to fool the eye', () => {
  const value = { text: 'a\u202eb\u200bc\u{e0041}d\u0085', emoji: '👍' };
  expect(toJson(value)).toBe('{"text":"a\\u202eb\\u200bc\\udb40\\udc41d\\u0085","emoji":"👍"}');
  expect(JSON.parse(toJson(value))).toEqual(value);
});
