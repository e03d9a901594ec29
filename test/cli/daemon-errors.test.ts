import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../machines/failure.ts';
import { errorOf } from '../../src/cli/daemon/client.ts';
import { HTTP_ERRORS, HttpError, type HttpErrorCode } from '../../src/gateway/http/http-error.ts';

const told = (code: HttpErrorCode) => {
  const { message, hint, status } = new HttpError(code, 'It says no.');
  return errorOf({ error: { code, phase: 'http', message, hint } }, status);
};

describe('an error of the daemon, as a command tells it', () => {
  it('is the same one when a plugin or the supervisor had it', () => {
    const error = { code: 'CALL_TIMEOUT', message: 'Too late.', hint: 'Wait.', plugin: 'one', stderrTail: ['a'] };
    expect(errorOf(JSON.stringify({ error: { ...error, fate: 'sent-unknown' } }), 504)).toMatchObject({
      ...error,
      data: { fate: 'sent-unknown' },
    });
  });

  it.each(Object.keys(HTTP_ERRORS) as HttpErrorCode[])(
    'is one of the known ones where the front refuses: %s',
    (code) => {
      const error = told(code);
      expect(Object.keys(FAILURES)).toContain(error.code);
      expect(error.message).toBe('It says no.');
      expect(error.hint).not.toMatch(/GET \/|Authorization|Allow/);
    },
  );

  it('names no plugin where an address is unknown, but another version', () => {
    expect(told('HTTP_NOT_FOUND')).toMatchObject({ code: 'INTERNAL_ERROR', plugin: null });
    expect(told('HTTP_NOT_FOUND').hint).toContain('different versions');
    expect(errorOf('<html>', 500)).toMatchObject({
      code: 'INTERNAL_ERROR',
      message: 'The daemon answered with HTTP status 500.',
    });
  });
});
