/** A server of the modern era asks by its results: each is answered, and the request made again with the answers. */

import type { ServerRequest } from '../actors/context.ts';
import type { Fields } from '../actors/fields.ts';
import { CAPABILITIES_KEY } from '../actors/mcp/meta.ts';
import { RPC } from '../actors/mcp/rpc-codes.ts';
import { supervisorError } from './errors.ts';

/** A server that asks more often will never be content (the official SDK's number). */
const MAX_ROUNDS = 8;
interface InputRequired {
  readonly inputRequests?: Readonly<Record<string, { readonly method: string; readonly params?: unknown }>> | null;
  readonly requestState?: unknown;
}

const asksForInput = (result: unknown): result is InputRequired =>
  typeof result === 'object' && result !== null && (result as Fields).resultType === 'input_required';

/** Who says itself what its client can be asked takes questions as results. */
export const bringsEnvelope = (params: unknown): boolean =>
  (params as { readonly _meta?: Fields } | null | undefined)?._meta?.[CAPABILITIES_KEY] !== undefined;

/**
 * `send` makes the request once; resolves with the first result that asks for nothing. Rejects with what `ask` rejects with:
 * then the other questions of that round are taken back, and the request is not made again.
 */
export async function runInputRounds(
  params: unknown,
  send: (params: unknown) => Promise<unknown>,
  ask: (question: ServerRequest) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<unknown> {
  let result = await send(params);
  for (let round = 0; asksForInput(result); round++) {
    if (round === MAX_ROUNDS) {
      const message = `The server asked for input more than ${MAX_ROUNDS} times.`;
      throw supervisorError('CALL_PROTOCOL_ERROR', { message, data: { code: RPC.internalError, message } });
    }
    const { inputRequests, requestState } = result;
    const inputResponses = inputRequests == null ? null : await answers(inputRequests, ask, signal);
    result = await send({
      ...(params as object),
      ...(inputResponses === null ? {} : { inputResponses }),
      ...(requestState === undefined ? {} : { requestState }),
    });
  }
  return result;
}

async function answers(
  questions: NonNullable<InputRequired['inputRequests']>,
  ask: (question: ServerRequest) => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<Fields> {
  const over = new AbortController();
  const until = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  try {
    const answered = Object.entries(questions).map(
      async ([key, question]) =>
        [key, await ask({ method: String(question?.method), params: question?.params, signal: until })] as const,
    );
    return Object.fromEntries(await Promise.all(answered));
  } finally {
    over.abort();
  }
}
