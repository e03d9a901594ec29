import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createFailure, FAILURES, type FailureCode } from '../machines/failure.ts';
import { SupervisorError } from '../src/errors.ts';

const codes = Object.keys(FAILURES) as FailureCode[];
const root = resolve(import.meta.dirname, '..');
const source = ['launchers', 'machines', 'actors', 'src']
  .flatMap((floor) =>
    readdirSync(join(root, floor), { recursive: true, encoding: 'utf8' }).map((file) => join(root, floor, file)),
  )
  .filter((file) => file.endsWith('.ts') && !file.endsWith('machines/failure.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

describe('the table of failures', () => {
  it.each(codes)('%s has a known prefix, a sentence, and a next step', (code) => {
    expect(code).toMatch(/^(CONFIG|CLONE|DETECT|INSTALL|LAUNCH|PROBE|RUN|CALL|STOP|HOME|INTERNAL)_[A-Z_]+$/);
    expect(FAILURES[code].when).toMatch(/^[A-Z].*\.$/);
    expect(FAILURES[code].hint).toMatch(/\.$/);
  });

  it.each(codes)('%s is raised somewhere', (code) => {
    expect(source).toContain(code);
  });

  it('keeps the last 20 lines of stderr', () => {
    const stderrTail = Array.from({ length: 30 }, (_, line) => `line ${line}`);
    expect(createFailure('RUN_EXITED', { stderrTail }).stderrTail).toEqual(stderrTail.slice(10));
  });
});

describe('SupervisorError', () => {
  const failure = createFailure('RUN_EXITED', {
    generation: 3,
    exit: { code: 1, signal: null },
    stderrTail: ['boom'],
    data: { fate: 'sent-unknown' },
  });

  it('survives JSON with code, phase, hint and the last lines', () => {
    const error = new SupervisorError(failure, 'time');
    expect(JSON.parse(JSON.stringify(error))).toEqual({ ...failure, plugin: 'time' });
  });

  it('is recognised by its mark', () => {
    expect(SupervisorError.is(new SupervisorError(failure))).toBe(true);
    expect(SupervisorError.is(new Error('x'))).toBe(false);
    expect(SupervisorError.is(null)).toBe(false);
  });

  it('shows control, bidirectional and tag characters of a plugin instead of obeying them', () => {
    const error = new SupervisorError(createFailure('CLONE_FAILED', { message: 'a\u001b[31mb\u202ec\u{e0041}' }));
    expect(error.message).toBe('a\\u{1b}[31mb\\u{202e}c\\u{e0041}');
    expect(inspect(error)).not.toContain('\u202e');
  });
});
