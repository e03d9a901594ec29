import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Session } from '../../actors/context.ts';
import { connectHttp, connectSse, handshake } from '../../actors/mcp/connect.ts';
import { SessionError } from '../../actors/mcp/session-error.ts';
import { findMcp, findPlainHttp, type Search } from '../../actors/probe/endpoints.ts';
import { createFailure } from '../../machines/failure.ts';
import { samplePlan } from '../../src/testing/samples.ts';
import { limits, livingProcess } from '../actors/mcp/serve-http.ts';
import { bytes, jsonText, messageText } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

/** One answer to one request, byte by byte; `ID` becomes the request's id. */
interface Answer {
  readonly status: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** What is said of the body's length. */
  readonly length: 'right' | 'short' | 'long' | 'chunked' | 'none';
  readonly end: 'close' | 'reset' | 'keep';
}

const status = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '200 OK',
      '200 OK',
      '202 Accepted',
      '204 No Content',
      '307 Go',
      '308 Go',
      '400 Bad',
      '401 No',
      '404 None',
      '405 No',
      '500 Oops',
      '100 Continue',
      '101 Switching',
      '304 Same',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('999 X', '0 X', 'abc', '', '200') },
);
const header = fc.oneof(
  fc.constantFrom(
    'content-type: application/json',
    'content-type: text/event-stream',
    'content-type: text/event-stream; charset=utf-8',
    'content-type: text/html',
    'mcp-session-id: s',
    'content-encoding: gzip',
    'retry-after: x',
    'location: http://[',
    'location: //',
    'location: /mcp/',
    'location: http://127.0.0.1:1/',
    'location: \u00ff',
    'set-cookie: a=b',
    'content-type:',
    ': x',
    'no colon',
  ),
  fc.string({ maxLength: 8 }).map((text) => `x-odd: ${text.replaceAll(/[\r\n]/g, '')}`),
);
const init =
  '{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"x"}}}';
const message = fc.oneof(
  { weight: 4, arbitrary: fc.constant(init) },
  { weight: 2, arbitrary: jsonText.map((result) => `{"jsonrpc":"2.0","id":ID,"result":${result}}`) },
  { weight: 2, arbitrary: jsonText.map((error) => `{"jsonrpc":"2.0","id":ID,"error":${error}}`) },
  { weight: 1, arbitrary: messageText },
  { weight: 1, arbitrary: jsonText },
);
const event = fc
  .tuple(
    fc.constantFrom(
      '',
      'event: message\n',
      'event: endpoint\n',
      'id: 1\n',
      'retry: 0\n',
      'retry: 99999999999999\n',
      ': hello\n',
    ),
    fc.oneof(message, fc.constantFrom('/messages?x=1', 'http://[', '//evil.test/x', '\u0000', '')),
  )
  .map(([head, data]) => `${head}data: ${data}\n\n`);
const body = fc.oneof(
  { weight: 4, arbitrary: message },
  { weight: 3, arbitrary: fc.array(event, { maxLength: 3 }).map((events) => events.join('')) },
  { weight: 1, arbitrary: bytes.map((some) => some.toString('latin1')) },
  { weight: 1, arbitrary: fc.constant('') },
);
const answer: fc.Arbitrary<Answer> = fc.record({
  status,
  headers: fc.array(header, { maxLength: 3 }),
  body,
  length: fc.constantFrom('right', 'right', 'right', 'short', 'long', 'chunked', 'none'),
  end: fc.constantFrom('keep', 'close', 'close', 'reset'),
});
const answers = fc.array(answer, { minLength: 1, maxLength: 5 });

function textOf({ status: line, headers, body: given, length }: Answer, id: string): string {
  const text = given.replaceAll('ID', id);
  const size = Buffer.byteLength(text, 'latin1');
  const says = {
    right: `content-length: ${size}`,
    short: `content-length: ${Math.floor(size / 2)}`,
    long: `content-length: ${size + 5}`,
    chunked: 'transfer-encoding: chunked',
    none: '',
  }[length];
  const wrapped = length === 'chunked' && size > 0 ? `${size.toString(16)}\r\n${text}\r\n0\r\n\r\n` : text;
  return `HTTP/1.1 ${[line, ...headers, ...(says === '' ? [] : [says])].join('\r\n')}\r\n\r\n${wrapped}`;
}

let server: Server;
let origin: string;
const sockets = new Set<Socket>();
/** What the next requests get, in turn, over and over. */
let script: readonly Answer[] = [];
let requests = 0;

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const next = script[requests % script.length];
      requests += 1;
      if (next === undefined) return void socket.destroy();
      const [, id = '1'] = /"id":(\d+)/.exec(chunk.toString('latin1')) ?? [];
      socket.write(textOf(next, id), 'latin1', () => {
        if (next.end === 'close') socket.end();
        if (next.end === 'reset') socket.resetAndDestroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  return new Promise<void>((resolve) => server.close(() => resolve()));
});

const connecting = { process: livingProcess, limits: { ...limits, maxResult: 2000 } };

/** Long enough for a server beside us; a hostile one simply says nothing. */
async function withinAMoment(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 150);
  try {
    await work(controller.signal);
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  }
}

/** Each settles once, at the latest when the session ends. */
async function settles(session: Session, requested: readonly Promise<unknown>[]): Promise<void> {
  const all = Promise.allSettled(requested);
  session.close(createFailure('CALL_INTERRUPTED'));
  for (const one of await all) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(SessionError);
}

const SLOW = { share: 0.1 } as const;

describe('a hostile HTTP server', () => {
  const kinds = [
    ['streamable HTTP', connectHttp],
    ['SSE', connectSse],
  ] as const;
  for (const [name, connect] of kinds) {
    fuzz(
      `leaves no call of ${name} open`,
      [answers],
      async (given) => {
        script = given;
        requests = 0;
        const session = await connect(connecting, { origin, socketPath: null }, '/mcp');
        await withinAMoment(async (signal) => {
          const opened = await handshake(session, { era: 'auto', signal, timeout: 60_000 }).catch((error: unknown) => {
            expect(error).toBeInstanceOf(SessionError);
            return null;
          });
          if (opened?.ok !== true) return;
          const calls = [1, 2, 3].map(() =>
            session.request('tools/call', { name: 'x' }, { signal, onProgress: () => undefined }),
          );
          await settles(session, calls);
        });
        await settles(session, [session.request('ping', {})]);
      },
      SLOW,
    );
  }

  const search = (signal: AbortSignal, transport: Search['transport']): Search => ({
    connecting,
    plan: samplePlan({ health: transport === 'http' ? '/health' : null }),
    transport,
    endpoint: null,
    era: 'auto',
    lines: { saysListening: () => null, saysPortTaken: () => null, stop: () => undefined },
    listening: () => undefined,
    exposed: () => undefined,
    signal,
  });
  const transport = fc.constantFrom<Search['transport']>('auto', 'streamable-http', 'sse', 'http');
  fuzz(
    'is told apart from a server, or taken for one, by the probe',
    [answers, transport],
    async (given, asked) => {
      script = given;
      requests = 0;
      await withinAMoment(async (signal) => {
        const find = asked === 'http' ? findPlainHttp : findMcp;
        const outcome = await find({ origin, socketPath: null }, search(signal, asked));
        expect(['found', 'refused', 'http', 'silent']).toContain(outcome.kind);
        if (outcome.kind !== 'found') return;
        const { session } = outcome;
        await settles(
          session,
          asked === 'http'
            ? [session.post({ path: '/x', body: { a: 1 } }, { signal })]
            : [session.request('tools/list', {}, { signal })],
        );
      });
    },
    SLOW,
  );

  test('does not hold the probe by an SSE handshake without an endpoint', async () => {
    const body = `data: ${init}\n\n`;
    script = [{ status: '200 OK', headers: ['content-type: text/event-stream'], body, length: 'none', end: 'keep' }];
    requests = 0;
    await withinAMoment(async (signal) => {
      const outcome = await findMcp({ origin, socketPath: null }, search(signal, 'sse'));
      expect(outcome.kind).not.toBe('found');
    });
  });
});
