/** JSON-RPC messages of clients as they come in and answers as they go out; nothing of what they mean. */

import { isFields } from '../../../../actors/fields.ts';
import { RPC, RpcError } from '../rpc-error.ts';

export type Id = string | number;

export interface RequestMessage {
  readonly id: Id;
  readonly method: string;
  readonly params?: unknown;
}
export interface NotificationMessage {
  readonly method: string;
  readonly params?: unknown;
}
/** The client's answer to a question of ours. */
export interface ResponseMessage {
  readonly id: Id;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export type Incoming =
  | { readonly kind: 'request'; readonly message: RequestMessage }
  | { readonly kind: 'notification'; readonly message: NotificationMessage }
  | { readonly kind: 'response'; readonly message: ResponseMessage }
  | { readonly kind: 'invalid'; readonly id: Id | null };

export interface Answer {
  readonly jsonrpc: '2.0';
  readonly id: Id | null;
  readonly result?: unknown;
  readonly error?: RpcError;
}

/** Messages in a batch over HTTP. */
export const MOST_IN_BATCH = 100;

const isId = (value: unknown): value is Id => typeof value === 'string' || typeof value === 'number';

export function readIncoming(value: unknown): Incoming {
  if (!isFields(value)) return { kind: 'invalid', id: null };
  const { id, method } = value;
  const known = isId(id) ? id : null;
  if (value.jsonrpc !== '2.0') return { kind: 'invalid', id: known };
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'notification', message: value as unknown as NotificationMessage };
    if (known !== null) return { kind: 'request', message: value as unknown as RequestMessage };
  } else if (method === undefined && known !== null && ('result' in value || isFields(value.error))) {
    return { kind: 'response', message: value as unknown as ResponseMessage };
  }
  return { kind: 'invalid', id: known };
}

/** JSON text of a notification or a request of ours. */
export const messageText = (method: string, params: unknown, id?: string): string =>
  JSON.stringify(id === undefined ? { jsonrpc: '2.0', method, params } : { jsonrpc: '2.0', id, method, params });

export const errorAnswer = (id: Id | null, error: RpcError): Answer => ({ jsonrpc: '2.0', id, error });

/** JSON text of an answer, or of a batch of them. */
export function answerText(answer: Answer | readonly Answer[]): string {
  try {
    return JSON.stringify(answer);
  } catch {
    // A result that is no JSON (a circle, a BigInt): only a plugin inside this process can make one.
    const broken = ({ id }: Answer) => errorAnswer(id, new RpcError(RPC.internalError, 'The result is not JSON.'));
    return JSON.stringify('id' in answer ? broken(answer) : answer.map(broken));
  }
}
