import { describe, expect, it } from 'vitest';
import { createByteTail, createLineRing, createLineSplitter } from '../../actors/lines.ts';
import { createNoiseFilter } from '../../actors/process/noise.ts';

const split = (chunks: readonly (string | Buffer)[], maxLine?: number) => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line), maxLine);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return lines;
};

describe('a line splitter', () => {
  it.each([
    ['two lines in a chunk', ['a\nb\n'], ['a', 'b']],
    ['a line over chunks', ['a', 'b', 'c\n'], ['abc']],
    ['CRLF, also over chunks', ['a\r\nb\r', '\n'], ['a', 'b']],
    ['one carriage return of several', ['a\r\r\n'], ['a\r']],
    ['blank lines', ['\n\na\n'], ['', '', 'a']],
    ['a last line without a newline', ['a\nb'], ['a', 'b']],
    ['nothing', [''], []],
  ])('takes %s', (_, chunks, lines) => {
    expect(split(chunks)).toEqual(lines);
  });

  it('joins characters that were split over chunks at any byte', () => {
    const bytes = Buffer.from('zażółć 🦊 gęślą\n');
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(split([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(['zażółć 🦊 gęślą']);
    }
  });

  it('hands over a line that is too long in pieces that end between characters', () => {
    expect(split(['abcdefg\nh'], 3)).toEqual(['abc', 'def', 'g', 'h']);
    expect(split(['a🦊b🦊\n'], 6)).toEqual(['a🦊b', '🦊']);
    expect(split(['ab', 'cd', 'ef\n'], 4)).toEqual(['abcd', 'ef']);
  });

  it('takes bytes that are no UTF-8, however long', () => {
    expect(split([Buffer.alloc(10, 0x80)], 4).join('')).toBe('\ufffd'.repeat(10));
  });
});

describe('a noise filter', () => {
  const noise = (...chunks: string[]) => {
    const lines: string[] = [];
    const filter = createNoiseFilter((line) => lines.push(line));
    for (const chunk of chunks) filter.push(Buffer.from(chunk));
    filter.end();
    return lines;
  };

  it.each([
    ['a banner before a message', ['hello\n{"id":1}\nmore\n'], ['hello', 'more']],
    ['a message over chunks', ['{"text":"', 'hello\\n', '"}\nnoise', ' here\n'], ['noise here']],
    ['messages after blanks and blank lines', ['\n  {"id":1}\r\n\t[1]\n', '\n', 'x\n'], ['x']],
    ['an indented line', ['x\n  at y\n'], ['x', '  at y']],
    ['noise without an end', ['{}\nlast'], ['last']],
  ])('tells %s apart', (_, chunks, lines) => {
    expect(noise(...chunks)).toEqual(lines);
  });
});

describe('a line ring', () => {
  it('keeps the last lines', () => {
    const ring = createLineRing({ maxLines: 2 });
    for (const line of ['a', 'b', 'c']) ring.push(line);
    expect(ring.lines()).toEqual(['b', 'c']);
  });

  it('keeps the last bytes, but always the last line', () => {
    const ring = createLineRing({ maxBytes: 4 });
    for (const line of ['ab', 'cd', 'e']) ring.push(line);
    expect(ring.lines()).toEqual(['cd', 'e']);
    ring.push('longer than that');
    expect(ring.lines()).toEqual(['longer than that']);
    ring.push('x');
    expect(ring.lines()).toEqual(['x']);
  });
});

describe('a byte tail', () => {
  it('keeps the last bytes of many chunks', () => {
    const tail = createByteTail(5);
    for (const chunk of ['abc', 'def', 'gh']) tail.push(Buffer.from(chunk));
    expect(tail.text()).toBe('defgh');
  });

  it('begins with a whole character', () => {
    const tail = createByteTail(5);
    tail.push(Buffer.from('🦊🦊'));
    expect(tail.text()).toBe('🦊');
  });

  it('gives all while it is less', () => {
    const tail = createByteTail(5);
    tail.push(Buffer.from('ab'));
    expect(tail.text()).toBe('ab');
  });
});
