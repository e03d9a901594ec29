/** A legacy client and a modern plugin: what the plugin's result asks for is asked on the client's own stream. */

import type { ClientRequest } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { refusal } from './capabilities.ts';

/** A server that asks more often will never be content (the official SDK's number). */
const MAX_ROUNDS = 8;

type Fields = Readonly<Record<string, unknown>>;

/** `send` makes the request once; resolves with the first result that asks for nothing. */
export async function runInputRounds(
  request: ClientRequest,
  params: unknown,
  send: (params: unknown) => Promise<unknown>,
): Promise<unknown> {
  let result = await send(params);
  for (let round = 0; asksForInput(result); round++) {
    if (round === MAX_ROUNDS) {
      throw new RpcError(RPC.internalError, `The plugin asked for input more than ${MAX_ROUNDS} times.`);
    }
    const { inputRequests, requestState } = result;
    const inputResponses = await answers(request, inputRequests);
    result = await send({
      ...(params as object),
      ...(inputResponses === null ? {} : { inputResponses }),
      ...(requestState === undefined ? {} : { requestState }),
    });
  }
  return result;
}

interface InputRequired {
  readonly resultType: 'input_required';
  readonly inputRequests?: Readonly<Record<string, { readonly method: string; readonly params?: unknown }>>;
  readonly requestState?: unknown;
}

export const asksForInput = (result: unknown): result is InputRequired =>
  typeof result === 'object' && result !== null && (result as Fields).resultType === 'input_required';

/** What the client says to each question; the first that it refuses ends the request, and takes the others back. */
async function answers(request: ClientRequest, asked: InputRequired['inputRequests']): Promise<Fields | null> {
  if (typeof asked !== 'object' || asked === null) return null;
  const over = new AbortController();
  const signal = AbortSignal.any([request.signal, over.signal]);
  try {
    const answered = Object.entries(asked).map(async ([key, question]) => {
      const { method, params } = question ?? {};
      const refused = refusal(request.client, String(method), params);
      if (refused !== null)
        throw new RpcError(RPC.internalError, `The plugin asked for what the client can't do: ${refused.message}`);
      return [key, await request.ask(method, params, signal)] as const;
    });
    return Object.fromEntries(await Promise.all(answered));
  } finally {
    over.abort();
  }
}
