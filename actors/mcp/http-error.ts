import { type HttpHeaders, headerOf } from './http-client.ts';
import { type SessionError, sessionError } from './session-error.ts';

const SNIPPET = 500;

/** The start of a body, for people. */
export const snippet = (text: string): string => text.slice(0, SNIPPET).trim();

/** Makes errors of answers: status, content type and the start of the body, as `data` and in words, without secrets. */
export const createHttpErrors =
  (redact: (text: string) => string) =>
  (status: number, headers: HttpHeaders, text: string, words = 'The server answered'): SessionError => {
    // Before it is cut: half a secret is one too.
    const body = snippet(redact(text));
    const location = redact(headerOf(headers, 'location'));
    const challenge = snippet(redact(headerOf(headers, 'www-authenticate')));
    return sessionError('CALL_HTTP_ERROR', 'answered', {
      message: `${words} (HTTP ${status})${body === '' ? '.' : `: ${body}`}`,
      data: {
        status,
        contentType: headerOf(headers, 'content-type'),
        body,
        ...(location !== '' && { location }),
        ...(challenge !== '' && { challenge }),
      },
    });
  };
