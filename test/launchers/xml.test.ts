import { describe, expect, it } from 'vitest';
import { childrenOf, descendantsOf, parseXml, textOf } from '../../launchers/xml.ts';

const root = (text: string) => {
  const parsed = parseXml(text);
  if (!parsed.ok) throw new Error(`${parsed.line}: ${parsed.problem}`);
  return parsed.root;
};

describe('project files in XML', () => {
  it('are read to elements, attributes and text', () => {
    const pom = root(
      '\uFEFF<?xml version="1.0"?>\n<!DOCTYPE project>\n<p:project a="1" b=\'x &amp; y\'><!-- <no/> --><name> a &lt; b &#65;&#x42; </name><empty/><deep><name><![CDATA[<raw>]]></name></deep></p:project>\n',
    );
    expect(pom.name).toBe('project');
    expect(pom.attributes).toEqual({ a: '1', b: 'x & y' });
    expect(textOf(pom, 'name')).toBe('a < b AB');
    expect(textOf(pom, 'deep', 'name')).toBe('<raw>');
    expect(textOf(pom, 'empty')).toBeNull();
    expect(childrenOf(pom, 'deep', 'name')).toHaveLength(1);
    expect(descendantsOf(pom, 'name')).toHaveLength(2);
  });

  it.each([
    ['<a>\n<b>\n</a>', 3, '</a> closes <b>'],
    ['<a>\n<b/>', 2, '<a> is never closed'],
    ['<a></a></b>', 1, '</b> closes nothing'],
    ['<a>\n<<b/></a>', 2, 'is not XML here'],
    ['', 1, 'holds no element'],
    ['{"a": 1}', 1, 'holds no element'],
  ])('that are broken are refused with their line: %s', (text, line, problem) => {
    expect(parseXml(text)).toEqual({ ok: false, line, problem });
  });

  it('are read in a time that grows with their length alone', () => {
    expect(parseXml(`<a ${'x="1" '.repeat(20_000)}`).ok).toBe(false);
    expect(parseXml('<a>'.repeat(20_000)).ok).toBe(false);
  });
});
