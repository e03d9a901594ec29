import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { cutUnread } from '../../http/cut-unread.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { answerText, errorAnswer, type Id } from './messages.ts';

/** Codes of refusals that JSON-RPC has none for, as the official SDKs use them. */
export const REFUSED = -32000;
export const NO_SESSION = -32001;

export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers?: Readonly<Record<string, string>> | undefined,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  cutUnread(response, text);
  response.end(text);
}

export function sendError(
  response: ServerResponse,
  status: number,
  error: RpcError,
  id: Id | null = null,
  headers?: Readonly<Record<string, string>> | undefined,
): void {
  sendJson(response, status, answerText(errorAnswer(id, error)), headers);
}

export function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers?: Readonly<Record<string, string>> | undefined,
): void {
  sendError(response, status, new RpcError(REFUSED, message), null, headers);
}

/** 202 without a body: a notification or an answer was taken, or a request was taken back. */
export function sendAccepted(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(202, { 'content-length': 0 });
  response.end();
}

/** Status of an error of the modern era. */
export function statusOf(code: number): number {
  switch (code) {
    case RPC.methodNotFound:
      return 404;
    case RPC.parseError:
    case RPC.invalidRequest:
    case RPC.headerMismatch:
    case RPC.missingCapability:
    case RPC.unsupportedVersion:
      return 400;
    default:
      return 200;
  }
}

export interface Accepts {
  readonly json: boolean;
  readonly stream: boolean;
}

const BOTH: Accepts = { json: true, stream: true };

/** Clients must accept both; who says nothing gets what fits. */
export function acceptsOf({ accept }: IncomingHttpHeaders): Accepts {
  if (accept === undefined || accept === '' || accept.includes('*/*')) return BOTH;
  const json = accept.includes('application/json') || accept.includes('application/*');
  const stream = accept.includes('text/event-stream') || accept.includes('text/*');
  return json && stream ? BOTH : { json, stream };
}

export const notAcceptable = (response: ServerResponse): void =>
  refuse(response, 406, 'Not Acceptable: the client must accept application/json or text/event-stream.');
