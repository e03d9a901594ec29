import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createByteTail, createLineRing, createLineSplitter } from '../../actors/lines.ts';
import { createEventStreamReader } from '../../actors/mcp/event-stream.ts';
import { createLineReader, type OversizedLine } from '../../actors/mcp/framing.ts';
import { idOfOversized, parseMessages } from '../../actors/mcp/json-rpc.ts';
import { createNoiseFilter } from '../../actors/process/noise.ts';
import { bytes, cutAt, jsonText, messageText, monotony, places } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

/** What everybody would write: all bytes at once. */
const linesOf = (all: Buffer): Buffer[] => {
  const lines: Buffer[] = [];
  let from = 0;
  for (let at = all.indexOf(10); at !== -1; at = all.indexOf(10, from)) {
    lines.push(all.subarray(from, at));
    from = at + 1;
  }
  return lines;
};
const restOf = (all: Buffer): Buffer => all.subarray(all.lastIndexOf(10) + 1);

describe('framing', () => {
  fuzz(
    'gives the lines of a plain splitter, however the bytes are cut',
    [bytes, places, fc.nat(200)],
    (all, cuts, limit) => {
      const told: unknown[] = [];
      const push = createLineReader(limit, {
        line: (text) => told.push(text),
        blank: () => told.push(''),
        oversized: ({ bytes: size }) => told.push(size),
      });
      for (const chunk of cutAt(all, cuts)) push(chunk);
      expect(told).toEqual(linesOf(all).map((line) => (line.length > limit ? line.length : line.toString())));
    },
  );

  fuzz('keeps head and tail of a line over the limit, never more', [bytes, places], (all, cuts) => {
    const dropped: OversizedLine[] = [];
    const push = createLineReader(10, { line: () => undefined, oversized: (line) => dropped.push(line) });
    for (const chunk of cutAt(all, cuts)) push(chunk);
    const long = linesOf(all).filter(({ length }) => length > 10);
    expect(dropped.map(({ bytes: size }) => size)).toEqual(long.map(({ length }) => length));
    dropped.forEach(({ head, tail }, index) => {
      expect(head.length).toBeLessThanOrEqual(1024);
      expect(tail.length).toBeLessThanOrEqual(512);
      expect(long[index]!.toString().startsWith(head.slice(0, 5).replace(/\uFFFD[\s\S]*/, ''))).toBe(true);
    });
  });

  fuzz(
    'splits output into lines whose pieces make up what came',
    [bytes, places, fc.integer({ min: 4, max: 100 })],
    (all, cuts, max) => {
      const lines: string[] = [];
      let open: string | null = null;
      const splitter = createLineSplitter((line, continues) => {
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(max * 3);
        open = (open ?? '') + line;
        if (continues) return;
        lines.push(open);
        open = null;
      }, max);
      for (const chunk of cutAt(all, cuts)) splitter.push(chunk);
      splitter.end();
      if (open !== null) lines.push(open);
      const rest = restOf(all);
      const expected = [...linesOf(all), ...(rest.length > 0 ? [rest] : [])].map((line) => line.toString());
      // A piece may end within a character, if that is cut at a chunk's end as well.
      const isText = cuts.length === 0 ? !all.toString().includes('\uFFFD') : all.every((byte) => byte < 128);
      const bare = (line: string) => line.replace(/\r$/, '');
      expect(lines.length).toBe(expected.length);
      if (isText) expect(lines).toEqual(expected.map(bare));
    },
  );

  fuzz('tells noise from messages line by line', [bytes, places], (all, cuts) => {
    const told: string[] = [];
    const filter = createNoiseFilter((line) => told.push(line));
    for (const chunk of cutAt(all, cuts)) filter.push(chunk);
    filter.end();
    const rest = restOf(all);
    const expected = [...linesOf(all), ...(rest.length > 0 ? [rest] : [])].flatMap((line) => {
      const start = line.findIndex((byte) => ![9, 13, 32, 0xef, 0xbb, 0xbf].includes(byte));
      return start === -1 || line[start] === 0x7b || line[start] === 0x5b ? [] : [line.toString()];
    });
    expect(told.length).toBe(expected.length);
    // Blanks in front are left out when a chunk ends in them.
    const bare = (line: string) => line.replace(/^[\t\r ]+/, '');
    if (all.every((byte) => byte < 128))
      expect(told.map(bare)).toEqual(expected.map((line) => bare(line.replace(/\r$/, ''))));
  });

  fuzz(
    'keeps the last bytes and lines, never more',
    [fc.array(bytes, { maxLength: 8 }), fc.integer({ min: 1, max: 100 })],
    (chunks, max) => {
      const tail = createByteTail(max);
      const ring = createLineRing({ maxLines: 5, maxBytes: max });
      for (const chunk of chunks) {
        tail.push(chunk);
        ring.push(chunk.toString());
      }
      const all = Buffer.concat(chunks);
      expect(all.toString().endsWith(tail.text().replace(/^\uFFFD+/, ''))).toBe(true);
      expect(ring.lines().length).toBeLessThanOrEqual(5);
    },
  );
});

describe('JSON-RPC', () => {
  const anyText = fc.oneof(jsonText, messageText, fc.string({ unit: 'binary' }), monotony);

  fuzz('reads messages, batches of them, or nothing', [anyText], (text) => {
    const read = parseMessages(text);
    for (const message of read === null ? [] : [read].flat()) expect(message).toMatchObject({ jsonrpc: '2.0' });
  });

  const idText = fc.oneof(
    jsonText,
    fc.constantFrom('007', '"a\tb"', '"\u0000"', '1e5', '"\\u12"', '"'),
    fc.string({ unit: 'binary', maxLength: 10 }).map((text) => `"${text}"`),
  );
  const blank = fc.constantFrom('', ' ', '\t', '  ');
  const oversized = fc.tuple(idText, blank, anyText, fc.boolean()).map(([id, space, rest, first]) => ({
    head: first
      ? `${space}{${space}"jsonrpc":"2.0",${space}"id"${space}:${space}${id},"result":${rest}`
      : rest.slice(0, 1024),
    tail: first ? rest.slice(-512) : `${rest.slice(-400)},"id":${space}${id}${space}}`,
    bytes: 20_000_000,
  }));

  fuzz('finds the id of a dropped message, or none', [oversized], (line) => {
    const id = idOfOversized(line);
    if (id !== null) expect(['string', 'number']).toContain(typeof id);
  });
});

describe('event streams', () => {
  const field = fc.oneof(
    bytes.map((some) => some.toString('latin1')),
    fc
      .tuple(
        fc.constantFrom('data', 'event', 'id', 'retry', '', 'dat'),
        fc.constantFrom(':', ': ', ''),
        fc.string({ maxLength: 20 }),
      )
      .map((parts) => parts.join('')),
  );
  const stream = fc
    .array(fc.tuple(field, fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n')), { maxLength: 30 })
    .map((parts) => Buffer.from(parts.flat().join('')));
  const read = (chunks: readonly Buffer[], limit: number) => {
    const told: unknown[] = [];
    const reader = createEventStreamReader(limit, {
      event: (type, data) => {
        expect(data.length).toBeLessThanOrEqual(limit);
        told.push([type, data]);
      },
      oversized: ({ bytes: size }) => told.push(size),
    });
    for (const chunk of chunks) reader.push(chunk);
    return [told, reader.lastEventId(), reader.retry()];
  };

  fuzz(
    'are read the same however they are cut, and no event is over the limit',
    [stream, places, fc.nat(100)],
    (all, cuts, limit) => {
      expect(read(cutAt(all, cuts), limit)).toEqual(read([all], limit));
    },
  );

  fuzz(
    'hold no more than the limit of an event that never ends',
    [fc.integer({ min: 10, max: 1000 }), fc.constantFrom('data:\n', 'data: \n', 'data\n', 'data: x\n')],
    (limit, line) => {
      let told = 0;
      const reader = createEventStreamReader(limit, { event: () => undefined, oversized: () => (told += 1) });
      reader.push(Buffer.from(line.repeat(limit + 10)));
      reader.push(Buffer.from('\n'));
      expect(told).toBe(1);
    },
  );
});
