import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../machines/failure.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { asSupervisorError, errorAsJson, errorAsText } from '../../src/cli/render-error.ts';
import { createStyle } from '../../src/cli/terminal.ts';
import { supervisorError } from '../../src/errors.ts';

const plain = { style: createStyle(false), columns: () => Number.POSITIVE_INFINITY };
const codes = Object.keys(FAILURES) as FailureCode[];

describe('every code', () => {
  it.each(codes)('%s is shown with its phase, message and hint, and ends with its own exit code', (code) => {
    const error = supervisorError(code);
    const text = errorAsText(error, plain);
    expect(text).toContain(code);
    expect(text).toContain(FAILURES[code].when);
    const hint = FAILURES[code].hint.replace(/Raise the \w+ timeout/, 'Raise --timeout');
    expect(text).toContain(`→ ${hint}\n`);
    if (error.phase !== 'config' && error.phase !== 'internal') expect(text).toContain(`${error.phase} failed`);
    expect(exitCodeOf(error)).toBe({ us: 1, input: 2, plugin: 3 }[FAILURES[code].whose]);
    expect(JSON.parse(errorAsJson(error))).toMatchObject({
      code,
      phase: error.phase,
      hint: error.hint,
      stderrTail: [],
    });
  });
});

it('is one block: what failed, why, the last lines, what to do', () => {
  const error = supervisorError('INSTALL_FAILED', {
    message: 'npm ci ended with code 1.',
    stderrTail: ['npm error code E404', 'npm error 404 Not Found'],
  });
  expect(errorAsText(error, plain)).toBe(
    `✗ install failed · INSTALL_FAILED
  npm ci ended with code 1.

    npm error code E404
    npm error 404 Not Found

  → Correct what the last lines of the installer name.
`,
  );
});

it('says so where a program ended without a word', () => {
  const exit = { code: 3, signal: null };
  expect(errorAsText(supervisorError('LAUNCH_EXITED', { exit, message: 'It ended.', hint: 'Look.' }), plain)).toBe(
    '✗ launch failed · LAUNCH_EXITED\n  It ended.\n  Nothing was written to stderr.\n  → Look.\n',
  );
  expect(errorAsText(supervisorError('LAUNCH_EXITED', { exit, stderrTail: ['boom'] }), plain)).not.toContain('Nothing');
});

it('breaks between words on a narrow terminal', () => {
  const error = supervisorError('CALL_TIMEOUT', {
    message: 'no answer came within the time\nthat it had',
    hint: 'Be a bit more patient, that may help.',
    stderrTail: ['Traceback of a long line', '  File "x.py"'],
  });
  expect(errorAsText(error, { ...plain, columns: () => 24 })).toBe(
    `✗ call failed · CALL_TIMEOUT
  no answer came within
  the time
  that it had

    Traceback of a long
    line
      File "x.py"

  → Be a bit more
    patient, that may
    help.
`,
  );
});

it('says once what a message quotes from the lines below it', () => {
  const text = (message: string, ...stderrTail: string[]) =>
    errorAsText(supervisorError('LAUNCH_EXITED', { message, stderrTail }), plain);
  expect(text('No such ref (fatal: no $& here).', 'fatal: no $& here')).toContain(
    '  No such ref.\n\n    fatal: no $& here',
  );
  expect(text('A key is missing (“Error: KEY”).', 'Error: KEY')).toContain('  A key is missing.\n\n    Error: KEY\n');
  expect(text('It ended; its last words: “boom”.', 'first', 'boom')).toContain('  It ended.\n\n    first\n    boom\n');
  expect(text('A key is missing (“Error: KEY”).', 'other')).toContain('(“Error: KEY”)');
});

it('shows the last ten lines of a long tail', () => {
  const stderrTail = Array.from({ length: 20 }, (_, at) => `line ${at + 1}.`);
  const text = errorAsText(supervisorError('INSTALL_FAILED', { stderrTail }), plain);
  expect(text).not.toContain('line 10.');
  expect(text).toContain('    line 11.\n');
  expect(text).toContain('    line 20.\n');
});

it('escapes what a plugin could use to fool the reader, in text and in JSON', () => {
  const evil = '\u001b[2Jgone\rover\u202ereversed\u{e0041}';
  const error = supervisorError('LAUNCH_EXITED', { message: evil, hint: evil, stderrTail: [`${evil}\nsecond`] });
  const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|\u{e0041}/u;
  expect(errorAsText(error, plain)).not.toMatch(raw);
  expect(errorAsJson(error)).not.toMatch(raw);
  expect(JSON.parse(errorAsJson(error)).stderrTail).toEqual([`${evil}\nsecond`]);
});

describe('anything else that was thrown', () => {
  it('is a fault of ours, with a short stack', () => {
    const error = asSupervisorError(new TypeError('x is not a function'));
    expect(error).toMatchObject({ code: 'INTERNAL_ERROR', message: 'TypeError: x is not a function' });
    expect(exitCodeOf(error)).toBe(1);
    expect(errorAsText(error, plain)).toMatch(
      /internal error · INTERNAL_ERROR\n {2}TypeError: x is not a function\n {6}at /,
    );
  });

  it('is the disk when it is full', () => {
    expect(asSupervisorError(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' })).code).toBe('HOME_DISK_FULL');
  });

  it('may be no error at all', () => {
    expect(asSupervisorError('just text').message).toBe('Error: just text');
  });
});

it('names what a program reads that lacks a setting, what it requires first', () => {
  const wants = [
    { name: 'API_KEY', required: true, secret: true, description: 'From the console' },
    { name: 'TOKEN', required: false, secret: true },
    { name: 'REGION', required: false, secret: false },
  ];
  const error = supervisorError('LAUNCH_NEEDS_SETTING', { message: 'A setting is missing.', data: { wants } });
  expect(errorAsText(error, plain)).toContain(
    '  It also reads:\n    API_KEY (required) From the console\n    TOKEN (secret)\n\n  → ',
  );
});

it('says whose it is where several are told', () => {
  const error = supervisorError('LAUNCH_EXITED');
  expect(errorAsText(error, plain, 'time').split('\n')[0]).toBe('✗ time: launch failed · LAUNCH_EXITED');
});
