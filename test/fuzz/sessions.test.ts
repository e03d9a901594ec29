import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ProcessHandle } from '../../actors/context.ts';
import { connectStdio, handshake } from '../../actors/mcp/connect.ts';
import { SessionError } from '../../actors/mcp/session-error.ts';
import { createFailure } from '../../machines/failure.ts';
import { bytes, cutAt, jsonText, messageText, places } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

const limits = { maxMessage: 10_000, maxResult: 2_000, maxFiles: 1, maxSource: 1 };

/** A program that only exists as what it writes; what it was sent is kept. */
function createPuppetProcess() {
  const sent: { readonly id?: number; readonly method?: string }[] = [];
  let reader: (chunk: Buffer) => void = () => undefined;
  let ended: () => void = () => undefined;
  const handle: Partial<ProcessHandle> = {
    generation: 1,
    redact: (text) => text,
    write: (text) => sent.push(JSON.parse(String(text))) > 0,
    writeBacklog: () => 0,
    readStdout(listener, end) {
      reader = listener;
      ended = end ?? ended;
    },
    printed: () => undefined,
    onLine: () => () => undefined,
    stderrTail: () => [],
    exited: new Promise<never>(() => undefined),
  };
  return { handle: handle as ProcessHandle, sent, says: (chunk: Buffer) => reader(chunk), ends: () => ended() };
}

/** What the program writes between two looks; `ID` is replaced by that of a request that waits. */
const line = fc.oneof(
  { weight: 3, arbitrary: messageText },
  { weight: 2, arbitrary: jsonText },
  { weight: 2, arbitrary: bytes.map((some) => some.toString('latin1')) },
  { weight: 3, arbitrary: jsonText.map((result) => `{"jsonrpc":"2.0","id":ID,"result":${result}}`) },
  { weight: 2, arbitrary: jsonText.map((error) => `{"jsonrpc":"2.0","id":ID,"error":${error}}`) },
  {
    weight: 1,
    arbitrary: jsonText.map((error) => `{"jsonrpc":"2.0","id":ID,"error":{"code":${error},"message":"x"}}`),
  },
  {
    weight: 1,
    arbitrary: jsonText.map(
      (token) => `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token}}}`,
    ),
  },
  { weight: 1, arbitrary: fc.constant('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('3000', '{"jsonrpc":"2.0","id":ID,"result":"').map((text) => text + 'x'.repeat(3000)),
  },
);
const script = fc.array(fc.tuple(line, places), { maxLength: 12 });

fuzz(
  'a stdio session settles every request once, whatever comes between, and goes on working',
  [script, fc.boolean()],
  async (written, opens) => {
    const { handle, sent, says } = createPuppetProcess();
    const session = connectStdio({ process: handle, limits }, () => undefined);
    const pending: Promise<unknown>[] = [];
    let settled = 0;
    const keep = (work: Promise<unknown>) =>
      pending.push(
        work.then(
          () => (settled += 1),
          (error) => {
            settled += 1;
            expect(error).toBeInstanceOf(SessionError);
          },
        ),
      );
    const { signal } = new AbortController();
    if (opens) keep(handshake(session, { era: 'auto', signal, timeout: 600_000 }));
    for (const [text, cuts] of written) {
      keep(session.request('tools/call', { name: 'x' }, { onProgress: () => undefined }));
      const waiting = sent.findLast(({ id, method }) => id !== undefined && method !== undefined)?.id ?? 1;
      for (const chunk of cutAt(Buffer.from(`${text.replace('ID', String(waiting))}\n`), cuts)) says(chunk);
      await turn();
    }
    // Unless the handshake was answered with nonsense and closed it, it still works.
    let answer: unknown = 'none';
    session.request('ping', {}).then(
      (result) => {
        answer = result;
      },
      (error) => {
        answer = error;
      },
    );
    const ping = sent.findLast(({ method }) => method === 'ping');
    if (ping !== undefined) says(Buffer.from(`\n{"jsonrpc":"2.0","id":${ping.id},"result":{"fine":1}}\n`));
    await turn();
    if (!opens) expect(answer).toEqual({ fine: 1 });
    else expect(answer).not.toBe('none');
    session.lost(createFailure('RUN_DISCONNECTED'));
    await Promise.all(pending);
    expect(settled).toBe(pending.length);
  },
);

fuzz('a stdio session survives bytes without any order', [bytes, places], async (all, cuts) => {
  const { handle, says, ends } = createPuppetProcess();
  const session = connectStdio({ process: handle, limits }, () => undefined);
  const request = session.request('tools/list', {});
  for (const chunk of cutAt(all, cuts)) says(chunk);
  ends();
  session.lost(createFailure('RUN_DISCONNECTED'));
  await expect(request).rejects.toBeInstanceOf(SessionError);
});
