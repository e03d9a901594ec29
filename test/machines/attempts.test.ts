import { describe, expect, test } from 'vitest';
import type { CauseKind } from '../../launchers/plan.ts';
import { completeAttempt, launchFailure, nextAttempt, noteTried, tellingFailure } from '../../machines/attempts.ts';
import { createFailure } from '../../machines/failure.ts';
import { sampleAttempt, sampleEnvironment, samplePlan, samplePlanWithCandidates } from '../../src/testing/samples.ts';

const plan = { ...samplePlanWithCandidates(2), newerTools: [{ name: 'node', version: '>=24' }] };
const exit = (kind: CauseKind | null, dated = true) => ({
  retry: null,
  exited: true,
  cause: kind && { kind, detail: '', hint: '' },
  dated,
});

describe('the next attempt after', () => {
  test.each<[CauseKind | null, ReturnType<typeof nextAttempt>]>([
    [null, sampleAttempt({ candidate: 1 })],
    ['unknown', sampleAttempt({ candidate: 1 })],
    ['entry-missing', sampleAttempt({ candidate: 1 })],
    ['missing-program', sampleAttempt({ candidate: 1 })],
    ['missing-setting', null],
    ['missing-argument', null],
    ['held-back', null],
    ['runtime-too-old', sampleAttempt({ runtime: 'newer' })],
    ['engine-mismatch', sampleAttempt({ runtime: 'newer' })],
    ['port-taken', sampleAttempt({ port: 'lease' })],
    ['missing-module', sampleAttempt({ dependencies: 'as-of-commit' })],
    ['incompatible-dependency', sampleAttempt({ dependencies: 'as-of-commit' })],
  ])('an exit for %s', (kind, expected) => {
    expect(nextAttempt(plan, sampleAttempt(), exit(kind))).toEqual(expected);
  });

  test('a missing argument is the next candidate, where that is the same program with one', () => {
    const [first] = plan.start;
    const more = { ...first!, command: { ...first!.command, args: [...first!.command.args, 'serve'] } };
    const end = exit('missing-argument');
    expect(nextAttempt({ ...plan, start: [first!, more] }, sampleAttempt(), end)).toMatchObject({ candidate: 1 });
    expect(nextAttempt({ ...plan, start: [more, first!] }, sampleAttempt(), end)).toBeNull();
  });

  test('the last candidate is none', () => {
    expect(nextAttempt(plan, sampleAttempt({ candidate: 1 }), exit(null))).toBeNull();
  });

  test('old dependencies that broke too is the next candidate', () => {
    const old = sampleAttempt({ dependencies: 'as-of-commit' });
    expect(nextAttempt(plan, old, exit('missing-module'))).toEqual({ ...old, candidate: 1 });
  });

  test('a newer runtime that is too old as well, or where there is none, is the next candidate', () => {
    const newer = sampleAttempt({ runtime: 'newer' });
    expect(nextAttempt(plan, newer, exit('runtime-too-old'))).toEqual({ ...newer, candidate: 1 });
    const { newerTools: _, ...only } = plan;
    expect(nextAttempt(only, sampleAttempt(), exit('runtime-too-old'))).toEqual(sampleAttempt({ candidate: 1 }));
  });

  test('a candidate that was learned as HTTP asks anew', () => {
    const learned = sampleAttempt({ transport: 'sse', endpoint: '/sse' });
    const open = { ...plan, transport: 'auto' as const };
    expect(nextAttempt(open, learned, exit(null))).toMatchObject({ candidate: 1, transport: 'auto', endpoint: null });
  });

  test('a probe is what it wishes, unless that is the same again', () => {
    const end = { retry: { era: 'modern' as const }, exited: false, cause: null, dated: true };
    expect(nextAttempt(plan, sampleAttempt(), end)).toEqual(sampleAttempt({ era: 'modern' }));
    expect(nextAttempt(plan, sampleAttempt({ era: 'modern' }), end)).toBeNull();
  });
});

describe('a fresh environment’s first attempt', () => {
  const open = sampleAttempt({ transport: 'auto' });

  test('takes transport and endpoint from the plan, and a lease for HTTP', () => {
    const http = samplePlan({ transport: 'streamable-http', endpoint: '/mcp' });
    expect(completeAttempt(open, http)).toEqual({
      ...open,
      transport: 'streamable-http',
      endpoint: '/mcp',
      port: 'lease',
    });
  });

  test('gets no port where the transport stays open: a stdio server might bind it', () => {
    expect(completeAttempt(open, samplePlan({ transport: 'auto' }))).toEqual(open);
  });

  test('keeps what the caller said', () => {
    const said = sampleAttempt({ transport: 'sse', endpoint: '/events' });
    expect(completeAttempt(said, samplePlan({ transport: 'stdio', endpoint: '/mcp' }))).toMatchObject({
      transport: 'sse',
      endpoint: '/events',
    });
  });
});

test('the first candidate’s last failure is told, the others are noted', () => {
  const [early, first, second] = ['early', 'first', 'second'].map((message) =>
    createFailure('LAUNCH_EXITED', { message }),
  );
  const tried = noteTried(noteTried(noteTried([], 0, early!), 1, second!), 0, first!);
  expect(tellingFailure(tried, second!)).toEqual({
    ...first,
    data: { others: [{ candidate: 1, code: 'LAUNCH_EXITED', message: 'second' }] },
  });
});

test('a first candidate that died without a word gives way to one that says what it lacks', () => {
  const silent = createFailure('LAUNCH_EXITED', { message: 'said nothing', data: { cause: 'unknown' } });
  const spoken = createFailure('LAUNCH_EXITED', { message: 'spoke', stderrTail: ['bad'] });
  const lacking = createFailure('LAUNCH_NEEDS_SETTING', { message: 'API_KEY is missing' });
  const told = (first: typeof silent) =>
    tellingFailure(noteTried(noteTried([], 0, first), 1, lacking), lacking).message;
  expect(told(silent)).toBe('API_KEY is missing');
  expect(told(spoken)).toBe('spoke');
});

describe('the failure of a start', () => {
  const ended = (kind: CauseKind) => ({
    type: 'process.exited' as const,
    generation: 1,
    exit: { code: 1, signal: null },
    stderrTail: [],
    cause: { kind, detail: 'It says so.', hint: 'Do that.' },
  });
  const wants = [
    { name: 'REGION', required: false, secret: false },
    { name: 'API_KEY', required: true, secret: true },
  ];

  test('for want of a setting names all that it reads, what it requires first', () => {
    const environment = sampleEnvironment({ plan: samplePlan({ wants }) });
    const failure = launchFailure(ended('missing-setting'), sampleAttempt(), [], environment);
    expect(failure).toMatchObject({ code: 'LAUNCH_NEEDS_SETTING', data: { wants: [wants[1], wants[0]] } });
  });

  test('for want of a module tells what the install had to do without', () => {
    const fallbacks = [{ tried: 'pnpm-frozen', cause: 'version-not-found' as const, detail: 'There is no x@1.' }];
    const failure = launchFailure(ended('missing-module'), sampleAttempt(), [], sampleEnvironment({ fallbacks }));
    expect(failure.hint).toBe('It was installed another way, because pnpm-frozen failed: There is no x@1. Do that.');
    expect(launchFailure(ended('missing-module'), sampleAttempt(), [], sampleEnvironment()).hint).toBe('Do that.');
  });
});
