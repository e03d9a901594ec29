/** One request of a modern client to a legacy plugin, which may ask meanwhile: what it asks becomes an answer of its own. */

import type { ServerRequest } from '../../../../actors/context.ts';
import type { ClientRequest } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { missingCapability, refusal, requiredFor } from './capabilities.ts';
import { unknownState } from './retry.ts';
import { questionForModern } from './url-elicitation.ts';

/** Milliseconds in which a server may end a call by itself whose questions were refused, before it is cancelled. */
const LAST_WORDS = 5000;
/** Milliseconds in which further questions may come, to be asked in the same round. */
const GATHER = 10;

/** Makes the request to the plugin. */
export type Upstream = (options: {
  readonly signal: AbortSignal;
  readonly onRequest: (question: ServerRequest) => Promise<unknown>;
  /** The request of the client that waits for it now. */
  readonly current: () => ClientRequest;
}) => Promise<unknown>;

export interface Question {
  readonly method: string;
  readonly params: unknown;
  answer(result: unknown): void;
  refuse(error: unknown): void;
}

/** One request to a plugin, over as many requests of the client as it takes. */
export interface ParkableCall {
  readonly plugin: string;
  readonly principal: string;
  readonly method: string;
  readonly params: unknown;
  readonly questions: Map<string, Question>;
  /** Resolves with its answer, or with what the plugin asks and the state under which it is parked. */
  await(request: ClientRequest): Promise<unknown>;
  /** Nobody waits for it any more: its questions are refused, so that the server ends it by itself. */
  dismiss(): void;
  abort(): void;
}

export interface CallParts {
  readonly plugin: string;
  readonly request: ClientRequest;
  readonly method: string;
  readonly params: unknown;
  readonly upstream: Upstream;
}

/** Requests that may be answered with `input_required` (MCP 2026-07-28, multi round-trip requests). */
export const mayBeParked = (method: string): boolean => /^(tools\/call|prompts\/get|resources\/read)$/.test(method);

/**
 * Makes the request at once: `await` it for the first request, then for each retry. `park` names the state under which it waits, null
 * when too many wait already.
 */
export function beginCall(
  { plugin, request: first, method, params, upstream }: CallParts,
  park: (call: ParkableCall) => string | null,
): ParkableCall {
  const questions = new Map<string, Question>();
  const controller = new AbortController();
  let current = first;
  let asked = 0;
  let gathering: NodeJS.Timeout | null = null;
  /** Settles what the client waits for now. */
  let settle: { readonly resolve: (result: unknown) => void; readonly reject: (error: unknown) => void } | null = null;
  /** It is over: with a result, or an error. */
  let outcome: (() => void) | null = null;

  const finish = (told: () => void) => {
    outcome ??= told;
    if (gathering !== null) clearTimeout(gathering);
    gathering = null;
    if (settle !== null) outcome();
  };
  let dismissed = false;
  const dismiss = () => {
    dismissed = true;
    for (const { refuse } of questions.values()) refuse(GONE);
    questions.clear();
    setTimeout(() => controller.abort(), LAST_WORDS).unref();
  };
  const fail = (error: unknown) => {
    finish(() => settle?.reject(error));
    dismiss();
  };

  const tell = () => {
    gathering = null;
    if (settle === null || questions.size === 0) return;
    const requestState = park(call);
    if (requestState === null) return fail(new RpcError(RPC.internalError, 'Too many requests wait for input.'));
    const inputRequests = Object.fromEntries(
      [...questions].map(([key, { method, params }]) => [key, { method, ...(params === undefined ? {} : { params }) }]),
    );
    settle.resolve({ resultType: 'input_required', inputRequests, requestState });
    settle = null;
  };

  const onRequest = ({ method, params, signal }: ServerRequest): Promise<unknown> => {
    if (dismissed) return Promise.reject(GONE);
    const refused = mayBeParked(call.method)
      ? refusal(current.client, method, params)
      : new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
    if (refused !== null) {
      const required = requiredFor(method, params);
      if (required !== null && mayBeParked(call.method)) fail(missingCapability(required));
      return Promise.reject(refused);
    }
    const key = `${method.split('/')[0]}_${++asked}`;
    return new Promise((answer, refuse) => {
      questions.set(key, { method, params: questionForModern(method, params), answer, refuse });
      signal.addEventListener('abort', () => questions.delete(key), { once: true });
      gathering ??= setTimeout(tell, GATHER);
    });
  };

  const call: ParkableCall = {
    plugin,
    principal: first.client.principal,
    method,
    params,
    questions,
    await(request) {
      current = request;
      return new Promise<unknown>((resolve, reject) => {
        const gone = () => controller.abort();
        const done =
          <Value>(tell: (value: Value) => void) =>
          (value: Value) => {
            request.signal.removeEventListener('abort', gone);
            settle = null;
            tell(value);
          };
        settle = { resolve: done(resolve), reject: done(reject) };
        if (request.signal.aborted) gone();
        request.signal.addEventListener('abort', gone, { once: true });
        if (outcome !== null) outcome();
        // Some of what was asked before was left without an answer.
        else if (questions.size > 0) gathering ??= setTimeout(tell, GATHER);
      });
    },
    dismiss,
    abort: () => controller.abort(),
  };

  upstream({ signal: controller.signal, onRequest, current: () => current }).then(
    // An answer without the client's is not what it came back for.
    (result) => finish(() => (dismissed ? settle?.reject(unknownState()) : settle?.resolve(result))),
    (error) => finish(() => settle?.reject(error)),
  );
  return call;
}

/** What the server hears whose client has not come back, or can't be asked. */
const GONE = new RpcError(RPC.internalError, 'The client does not answer.');
