import { type HttpHeaders, headerOf } from './http-client.ts';
import { type SessionError, sessionError } from './session-error.ts';

const SNIPPET = 500;

/** The start of a body, for people. */
export const snippet = (text: string): string => text.slice(0, SNIPPET).trim();

/** An answer that is an error: status, content type and the start of the body, as `data` and in words. */
export const httpError = (
  status: number,
  headers: HttpHeaders,
  text: string,
  words = 'The server answered',
): SessionError => {
  const body = snippet(text);
  const location = headerOf(headers, 'location');
  return sessionError('CALL_HTTP_ERROR', 'answered', {
    message: `${words} (HTTP ${status})${body === '' ? '.' : `: ${body}`}`,
    data: { status, contentType: headerOf(headers, 'content-type'), body, ...(location !== '' && { location }) },
  });
};
