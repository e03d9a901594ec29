/** What the HTTP front itself refuses, before any plugin is concerned: one table, as the failures of plugins have one. */

interface Row {
  readonly status: number;
  /** What to do next. */
  readonly hint: string;
}

export const HTTP_ERRORS = {
  HTTP_BAD_REQUEST: { status: 400, hint: 'Correct what the message names.' },
  HTTP_UNAUTHORIZED: { status: 401, hint: 'Send the token of this gateway: `Authorization: Bearer <token>`.' },
  HTTP_HOST: { status: 403, hint: 'Use an address of this machine, or have its owner allow that name (--allow-host).' },
  HTTP_ORIGIN: { status: 403, hint: 'Its owner can allow that origin (--allow-origin).' },
  HTTP_FORBIDDEN: { status: 403, hint: 'Use a token without a profile.' },
  HTTP_NOT_FOUND: { status: 404, hint: 'GET / lists the addresses.' },
  HTTP_METHOD: { status: 405, hint: 'Use a method that the header Allow names.' },
  HTTP_TOO_LARGE: { status: 413, hint: 'Send less, or have its owner raise maxBody.' },
  HTTP_ENCODING: { status: 415, hint: 'Send the body as it is, without Content-Encoding.' },
  HTTP_RATE_LIMIT: { status: 429, hint: 'Wait as long as Retry-After says.' },
  HTTP_CLOSING: { status: 503, hint: 'Try again when it has been started anew.' },
} as const satisfies Record<string, Row>;

export type HttpErrorCode = keyof typeof HTTP_ERRORS;

export interface HttpErrorDetails {
  readonly hint?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answered as it is; never holds a secret. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly status: number;
  readonly hint: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, message: string, { hint, headers = {} }: HttpErrorDetails = {}) {
    super(message);
    this.name = 'HttpError';
    this.code = code;
    this.status = HTTP_ERRORS[code].status;
    this.hint = hint ?? HTTP_ERRORS[code].hint;
    this.headers = headers;
  }
}
