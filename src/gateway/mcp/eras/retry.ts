/** The request with which a modern client comes back: the state that it was given, and its answers to what was asked. */

import { createHash } from 'node:crypto';
import { type Fields, isFields } from '../../../../actors/fields.ts';
import type { ClientRequest } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import type { ParkableCall, Question } from './parkable-call.ts';

interface Retry {
  readonly requestState?: unknown;
  readonly inputResponses?: unknown;
}

/** The state that a request brings. */
export const stateIn = (params: unknown): string | undefined => {
  const state = (params as Retry | null | undefined)?.requestState;
  return typeof state === 'string' ? state : undefined;
};

/** Whether that state can be of this request. */
export const belongs = (
  call: ParkableCall,
  plugin: string,
  { client }: ClientRequest,
  method: string,
  params: unknown,
): boolean =>
  call.plugin === plugin &&
  call.principal === client.principal &&
  call.method === method &&
  digestOf(call.params) === digestOf(params);

/** Of what makes the request what it is: a retry has another envelope. */
function digestOf(params: unknown): string {
  const { _meta, requestState, inputResponses, ...own } = (params ?? {}) as Fields;
  return createHash('sha256')
    .update(JSON.stringify(sorted(own)))
    .digest('base64');
}

/** Clients may write the same arguments in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** What the client answered, taken out of the open questions; what nobody asked is ignored. Throws -32602 for nonsense. */
export function responsesIn(
  params: unknown,
  questions: Map<string, Question>,
): readonly (readonly [Question, unknown])[] {
  const { inputResponses = {} } = params as Retry;
  if (!isFields(inputResponses)) throw badResponses('inputResponses must be an object.');
  const known = Object.entries(inputResponses).flatMap(([key, answer]) => {
    const question = questions.get(key);
    return question === undefined ? [] : [{ key, question, answer }];
  });
  for (const { key, answer } of known)
    if (!isFields(answer)) throw badResponses(`inputResponses.${key} must be an object.`);
  for (const { key } of known) questions.delete(key);
  return known.map(({ question, answer }) => [question, answer] as const);
}

export const unknownState = () =>
  new RpcError(RPC.invalidParams, 'Invalid params: this requestState is unknown, expired, or of another request.');

const badResponses = (what: string) => new RpcError(RPC.invalidParams, `Invalid params: ${what}`);
