import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader, type OversizedLine } from '../../../actors/mcp/framing.ts';
import { idOfOversized, parseMessages } from '../../../actors/mcp/json-rpc.ts';

function read(chunks: readonly Buffer[], limit = 1000) {
  const lines: string[] = [];
  const oversized: OversizedLine[] = [];
  const push = createLineReader(limit, { line: (line) => lines.push(line), oversized: (line) => oversized.push(line) });
  for (const chunk of chunks) push(chunk);
  return { lines, oversized };
}

/** The text cut into chunks at the given places. */
const cut = (text: string, places: readonly number[]): Buffer[] => {
  const bytes = Buffer.from(text);
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((one, other) => one - other)];
  return [...sorted, bytes.length].slice(1).map((to, n) => bytes.subarray(sorted[n], to));
};

describe('the line reader', () => {
  it('gives the same lines however the bytes are cut, UTF-8 sequences too', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
        const text = lines.map((each) => `${each}\n`).join('');
        expect(read(cut(text, places), 1e6).lines).toEqual(lines.filter((each) => each !== ''));
      }),
    );
  });

  it('keeps a line without its newline for later', () => {
    expect(read([Buffer.from('a\nb')]).lines).toEqual(['a']);
  });

  it.each([1, 7, 64, 5000])('drops a line over the limit, in chunks of %i bytes, and reads on', (size) => {
    const text = `before\n{"id":7,"x":"${'y'.repeat(2000)}"}\nafter\n`;
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
      Buffer.from(text.slice(n * size, n * size + size)),
    );
    const { lines, oversized } = read(chunks);
    expect(lines).toEqual(['before', 'after']);
    expect(oversized.map(({ bytes }) => bytes)).toEqual([2000 + 15]);
    expect(oversized[0]!.head).toMatch(/^\{"id":7,"x":"y/);
    expect(oversized[0]!.tail).toMatch(/y"\}$/);
  });

  it('takes a line of exactly the limit', () => {
    const { lines, oversized } = read([Buffer.from(`${'x'.repeat(1000)}\n${'y'.repeat(1001)}\n`)]);
    expect([lines.length, oversized.length]).toEqual([1, 1]);
  });
});

describe('the id of a message that was dropped', () => {
  const line = (head: string, tail: string): OversizedLine => ({ head, tail, bytes: 1 });

  it.each([
    ['at its head', line('{"jsonrpc":"2.0","id":12,"result":{"x":"', ''), 12],
    ['at its head, a string with spaces', line('{ "jsonrpc": "2.0", "id": "a", "result": {', ''), 'a'],
    ['at its tail', line('{"result":{"id":1,"x":"', '"}},"jsonrpc":"2.0","id":34}'), 34],
    ['at its tail, before the version', line('{"result":{', '"},"id":5,"jsonrpc":"2.0"}\r'), 5],
    ['nowhere but in its payload', line('{"result":{"id":1,', '"id":2}}'), null],
  ])('is found %s', (_, oversized, id) => {
    expect(idOfOversized(oversized)).toBe(id);
  });
});

describe('messages', () => {
  const ping = { jsonrpc: '2.0', method: 'ping' };

  it('are read with a CR and after a byte order mark', () => {
    expect(parseMessages(`\uFEFF${JSON.stringify(ping)}\r`)).toEqual(ping);
  });

  it('are read from a batch', () => {
    expect(parseMessages(JSON.stringify([ping, ping]))).toEqual([ping, ping]);
  });

  it.each(['hello', '{"level":30}', '[]', '[1]', '3', 'null', '{"jsonrpc":"2.0"', '{"jsonrpc":"1.0"}'])(
    'are not %s',
    (text) => {
      expect(parseMessages(text)).toBeNull();
    },
  );
});
