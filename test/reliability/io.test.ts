/** What goes through the pipes: floods, monsters, broken bytes and broken pipes cost neither memory nor a wrong answer. */

import { expect, test } from 'vitest';
import type { CallOptions, Supervisor, SupervisorOptions } from '../../src/options.ts';
import { createStage, eventually, failureOf, linesOf, logOf, puppet, textOf } from './stage.ts';

const MB = 1024 * 1024;
const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');
const call = async (supervisor: Supervisor, tool: string, given: object = {}, options: CallOptions = {}) =>
  textOf(await supervisor.call('p', { tool, arguments: { ...given } }, options));

/** A puppet `p` in service. */
async function running(options: SupervisorOptions = {}) {
  const stage = await createStage(options);
  const { supervisor, home } = stage;
  supervisor.add('p', puppet('', { env: { PUPPET_LOG: logOf(home) } }));
  const { pid } = await supervisor.start('p');
  return { stage, supervisor, pid: pid! };
}

/** How much the memory of this process grew at most while the work was done, in bytes. */
async function growthDuring(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return Math.max(most, process.memoryUsage.rss()) - before;
}

/** An answer to a call, as the bytes of a line; ID becomes the call's own id. */
const answer = (text: string, id = 'ID') =>
  `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${text}"}]}}`;
const chunks = (supervisor: Supervisor, parts: readonly (string | Buffer)[], options?: CallOptions) =>
  call(supervisor, 'chunks', { base64: parts.map(base64) }, options);

test('R38 a flood of stdout without a newline becomes pieces of log, and costs no memory', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const flood = { base64: base64(Buffer.alloc(MB, 'x')), end: '\n' };
  // What the first floods make the runtime set aside is no leak.
  await call(supervisor, 'raw', { ...flood, times: 40 });
  const growth = await growthDuring(() => call(supervisor, 'raw', { ...flood, times: 200 }));
  expect(growth).toBeLessThan(64 * MB);
  const logged = supervisor.logs('p').map(({ text }) => text.length);
  expect(Math.max(...logged)).toBeLessThanOrEqual(65_536);
  expect(logged.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(4 * MB);
  expect(await call(supervisor, 'echo', { message: 'still here' })).toBe('still here');
});

test('R38 a flood that looks like a message is dropped at the limit, and costs no memory', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const flood = { base64: base64(Buffer.alloc(MB, '{')), end: '\n' };
  await call(supervisor, 'raw', { ...flood, times: 40 });
  const growth = await growthDuring(() => call(supervisor, 'raw', { ...flood, times: 200 }));
  expect(growth).toBeLessThan(64 * MB);
  expect(supervisor.logs('p').map(({ text }) => text)).toEqual([
    `[a line of ${40 * MB} bytes was dropped: the limit is ${16 * MB}]`,
    `[a line of ${200 * MB} bytes was dropped: the limit is ${16 * MB}]`,
  ]);
  expect(await call(supervisor, 'echo', { message: 'still here' })).toBe('still here');
});

test('R39 a line of 10 MB passes; one of 100 MB is refused, typed, and the session goes on', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  expect(await call(supervisor, 'big', { bytes: 10 * MB })).toHaveLength(10 * MB);
  const refused = await failureOf(call(supervisor, 'big', { bytes: 100 * MB }));
  expect(refused).toMatchObject({ code: 'CALL_RESULT_TOO_LARGE', data: { limit: 16 * MB, fate: 'answered' } });
  expect(refused.data.bytes).toBeGreaterThan(100 * MB);
  expect(await call(supervisor, 'echo', { message: 'still here' })).toBe('still here');
  expect(supervisor.status('p')).toMatchObject({ generation: 1, inFlight: 0 });
});

test('R40 1 GB of stderr: memory and log are bounded, the program never blocks and still answers', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const flood = { base64: base64(`${'e'.repeat(16 * 1024 - 1)}\n`.repeat(64)), stream: 'stderr' };
  await call(supervisor, 'raw', { ...flood, times: 64 });
  const growth = await growthDuring(() => call(supervisor, 'raw', { ...flood, times: 1024 }));
  expect(growth).toBeLessThan(64 * MB);
  expect(supervisor.logs('p').reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(4 * MB);
  expect(await call(supervisor, 'echo', { message: 'still here' })).toBe('still here');
});

test('R41 a program that stops reading: calls time out, others are unaffected, a stop still ends it', async () => {
  const { stage, supervisor, pid } = await running({ timing: { drain: 50, inputClose: 50, terminate: 50 } });
  await using _ = stage;
  supervisor.add('other', puppet());
  await supervisor.start('other');
  const stuck = [failureOf(call(supervisor, 'hang', {}, { timeout: 100 }))];
  // More than the pipe takes: the rest waits here.
  for (let calls = 0; calls < 3; calls += 1) {
    stuck.push(failureOf(call(supervisor, 'echo', { message: 'x'.repeat(MB) }, { timeout: 100 })));
  }
  const other = supervisor.call('other', { tool: 'echo', arguments: { message: 'well' } });
  expect(textOf(await other)).toBe('well');
  const failures = await Promise.all(stuck);
  expect(failures.map(({ code }) => code)).toEqual(failures.map(() => 'CALL_TIMEOUT'));
  expect(supervisor.status('p')).toMatchObject({ pid, inFlight: 0 });
  await supervisor.stop('p');
  expect(supervisor.status('p')).toMatchObject({ state: 'absent', failure: null });
});

test('R41 what no reader takes is refused beyond 64 MB, typed, and the plugin lives on when it reads again', async () => {
  const { stage, supervisor, pid } = await running();
  await using _ = stage;
  process.kill(pid, 'SIGSTOP');
  const calls = Array.from({ length: 12 }, () => call(supervisor, 'echo', { message: 'x'.repeat(9 * MB) }));
  const settled = Promise.allSettled(calls);
  const refused = await Promise.all(calls.slice(8).map(failureOf));
  for (const failure of refused) {
    expect(failure).toMatchObject({ code: 'CALL_QUEUE_FULL', data: { limit: 64 * MB, fate: 'not-sent' } });
  }
  process.kill(pid, 'SIGCONT');
  const answered = (await settled).flatMap((each) => (each.status === 'fulfilled' ? each.value.length : []));
  expect(answered).toEqual(Array.from({ length: 8 }, () => 9 * MB));
  expect(supervisor.status('p')).toMatchObject({ generation: 1, inFlight: 0 });
});

test('R42 UTF-8 cut in two, CRLF, two messages in one chunk and blank lines', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const line = Buffer.from(`${answer('grüße 😀')}\n`);
  // Each byte is a chunk of its own around the four of the face.
  const face = line.indexOf(Buffer.from('😀'));
  const cut = [line.subarray(0, face + 1), line.subarray(face + 1, face + 3), line.subarray(face + 3)];
  expect(await chunks(supervisor, cut)).toBe('grüße 😀');
  expect(await chunks(supervisor, [`\r\n\r\n${answer('crlf')}\r\n`, '\n\n'])).toBe('crlf');
  const heard: unknown[] = [];
  const link = await supervisor.open('p');
  link.onMessage((message) => heard.push(message));
  const notice = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'first' } };
  expect(await chunks(supervisor, [`${JSON.stringify(notice)}\n${answer('second')}\n`])).toBe('second');
  expect(heard).toEqual([notice]);
  link.close();
  expect(supervisor.status('p').noise).toBe(null);
});

test('R43 invalid UTF-8, invalid JSON and JSON that is no message break nothing', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const invalid = Buffer.from([0xff, 0xfe, 0x0a]);
  const junk = [
    '{"jsonrpc":"2.0",\n',
    '[1,2]\n',
    '[]\n',
    'null\n',
    '42\n',
    '"text"\n',
    '{}\n',
    '{"id":ID,"result":1}\n',
  ];
  expect(await chunks(supervisor, [invalid, ...junk, `${answer('after all that')}\n`])).toBe('after all that');
  const [before, after] = `${answer('a|b')}\n`.split('|');
  const broken = Buffer.concat([Buffer.from(before!), Buffer.from([0xc3]), Buffer.from(after!)]);
  expect(await chunks(supervisor, [broken])).toBe('a\uFFFDb');
  expect(supervisor.status('p')).toMatchObject({ generation: 1, noise: { lines: 9 } });
  expect(supervisor.logs('p').map(({ text }) => text)).toContain('{}');
});

test('R43 messages that make no sense break nothing', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const senseless = [
    {},
    { method: 5 },
    { id: null, error: null },
    { id: { a: 1 }, method: 'x' },
    { id: 'mine', method: 'ping', params: 7 },
    { method: 'notifications/progress', params: null },
    { method: 'notifications/progress', params: { progressToken: { a: 1 } } },
    { method: 'notifications/tools/list_changed', params: 'x' },
    { method: '' },
  ].map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  expect(await chunks(supervisor, [...senseless, `${answer('after all that')}\n`])).toBe('after all that');
  expect(await call(supervisor, 'echo', { message: 'still here' })).toBe('still here');
  expect(supervisor.status('p')).toMatchObject({ generation: 1, failure: null, noise: null });
});

test('R44 a pipe that broke: the call that could not be written goes to the next start', async () => {
  const { stage, supervisor, pid } = await running({ timing: { inputClose: 50, terminate: 50 } });
  await using _ = stage;
  expect(await call(supervisor, 'unplug')).toBe('unplugged');
  // No tool allows that it is repeated: it provably never left.
  expect(await call(supervisor, 'environment')).toContain('PUPPET_LOG');
  expect(supervisor.status('p').generation).toBe(2);
  expect(supervisor.status('p').pid).not.toBe(pid);
  const log = await linesOf(logOf(stage.home));
  expect(log.filter((line) => line === 'call environment')).toHaveLength(1);
});

test('R45 duplicate and unknown ids are dropped, and no answer reaches another call', async () => {
  const { stage, supervisor } = await running();
  await using _ = stage;
  const unknown = [
    answer('nobody', '999999'),
    answer('nobody', '"x"'),
    answer('nobody', 'null'),
    answer('nobody', '-1'),
  ];
  const twice = [...unknown, answer('once'), answer('again'), answer('again')].join('\n');
  const answers = await Promise.all([
    chunks(supervisor, [`${twice}\n`]),
    ...Array.from({ length: 50 }, (_, at) => call(supervisor, 'echo', { message: `mine ${at}` })),
  ]);
  expect(answers).toEqual(['once', ...Array.from({ length: 50 }, (_, at) => `mine ${at}`)]);
  expect(supervisor.status('p')).toMatchObject({ generation: 1, inFlight: 0, noise: null });
});

test('R45 a late answer of an earlier generation reaches no call of the next one', async () => {
  const { stage, supervisor, pid } = await running();
  await using _ = stage;
  // The ids of both generations are the same: each begins anew.
  const first = await Promise.all(Array.from({ length: 5 }, () => call(supervisor, 'pid')));
  const cutOff = Array.from({ length: 5 }, () => call(supervisor, 'never'));
  await eventually(() => supervisor.status('p').inFlight === 5);
  // Answers to all of them, from beyond the grave: over the pipe of the first generation, which a grandchild holds.
  await call(supervisor, 'heir', { lines: Array.from({ length: 40 }, (_, id) => answer('stale', String(id))) });
  await Promise.allSettled(cutOff);
  const second = await Promise.all(Array.from({ length: 30 }, () => call(supervisor, 'pid')));
  expect(new Set(first)).toEqual(new Set([String(pid)]));
  expect(new Set(second)).toEqual(new Set([String(supervisor.status('p').pid)]));
  expect(supervisor.status('p').generation).toBe(2);
});
