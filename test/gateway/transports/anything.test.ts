import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serveStdio } from '../../../src/gateway/mcp/transports/stdio.ts';
import { createStreamableHttp } from '../../../src/gateway/mcp/transports/streamable-http.ts';
import { createFakeEndpoint, quiet } from './fake-endpoint.ts';
import { envelope, openSession, raw, rpc } from './raw-http.ts';
import { serveFace } from './serve-face.ts';

const METHODS = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'server/discover',
  'notifications/cancelled',
  'x',
  '',
];

/** Something between a good message and none at all. */
const message = fc.oneof(
  fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0', 2, null),
      id: fc.constantFrom<unknown>(0, -1, 1.5, '', 'id', null, {}, [], true, 's1'),
      method: fc.constantFrom<unknown>(...METHODS, 7, null),
      params: fc.constantFrom<unknown>(
        { _meta: envelope() },
        { _meta: { ...envelope(), 'io.modelcontextprotocol/protocolVersion': 7 } },
        { _meta: null },
        { name: 'echo', arguments: { a: 1 }, _meta: envelope() },
        { name: '__proto__' },
        { requestId: 'id' },
        [],
        null,
        'text',
      ),
      result: fc.jsonValue(),
      error: fc.constantFrom<unknown>({ code: 1, message: 'no' }, {}, null, 'no'),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const anything = fc.oneof(
  message.map((one) => JSON.stringify(one)),
  fc.array(message, { maxLength: 4 }).map((all) => JSON.stringify(all)),
  fc.string(),
);

describe('whatever a client sends', () => {
  it('over HTTP is answered with a status, and with JSON or nothing', async () => {
    const endpoint = createFakeEndpoint();
    await using served = await serveFace(createStreamableHttp({ log: quiet }), endpoint);
    const session = await openSession(served.url);
    const headers = fc.record(
      {
        'mcp-session-id': fc.constantFrom(session['mcp-session-id'], 'none', ''),
        'mcp-protocol-version': fc.constantFrom('2026-07-28', '2025-11-25', '2099-01-01', 'x'),
        'mcp-method': fc.constantFrom('tools/call', 'tools/list', 'x'),
        'mcp-name': fc.constantFrom('echo', '=?base64?ZWNobw==?=', '=?base64?@?='),
        'last-event-id': fc.constantFrom('0-0', '1-1', 'x'),
        accept: fc.constantFrom('application/json', 'application/json, text/event-stream'),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(anything, headers, async (body, given) => {
        const response = await raw(served.url, { body, headers: given as Record<string, string> });
        expect([200, 202, 400, 404, 406]).toContain(response.status);
        const text = await response.text();
        if (response.headers.get('content-type') === 'application/json') JSON.parse(text);
        else expect([response.status, text]).toEqual([202, '']);
      }),
      { numRuns: 300 },
    );
    expect(served.errors).toEqual([]);
    expect((await raw(served.url, { body: rpc('ping'), headers: session })).status).toBe(200);
  });

  it('over a pipe leaves it in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 20 }), async (lines) => {
        const input = new PassThrough();
        const output = new PassThrough();
        let written = '';
        output.on('data', (chunk) => {
          written += chunk;
        });
        const served = serveStdio({ endpoint: createFakeEndpoint(), input, output, log: quiet });
        for (const line of lines) input.write(`${line}\n`);
        input.end(`${JSON.stringify(rpc('ping', {}, 'last'))}\n`);
        await served;
        const answers = written
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { id?: unknown });
        expect(answers.some(({ id }) => id === 'last')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
