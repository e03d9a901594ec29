import type { Log } from '../../../../actors/context.ts';
import { SUBSCRIPTION_KEY } from '../../../../actors/mcp/meta.ts';
import type { Client, ClientRequest, Endpoint } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { type Answer, errorAnswer, type Id, messageText, type RequestMessage } from './messages.ts';

/** Where the messages that belong to one request go until its answer. */
export interface Outlet {
  /** JSON text of a notification, which may be lost on a client that doesn't read, or of a question, which may not. */
  tell(text: string, must?: boolean): void;
  /** Whether a question can reach the client now. */
  reachable(): boolean;
}

/** Keeps what was asked until the client answers. */
export interface Questions {
  ask(method: string, params: unknown, outlet: Outlet, signal: AbortSignal): Promise<unknown>;
}

/** One request that an endpoint works on. */
export interface Running {
  readonly id: Id;
  readonly method: string;
  /** Never rejects; null when the client took the request back: then nothing more may be sent for it. */
  readonly answer: Promise<Answer | null>;
  /** The client took it back. */
  cancel(): void;
  /** The gateway goes away, or the session is over: it is answered now. */
  end(reason: string): void;
}

export interface RunOptions {
  readonly endpoint: Pick<Endpoint, 'handle'>;
  readonly client: Client;
  readonly outlet: Outlet;
  /** Null where a client can't be asked (modern era: answers carry questions). */
  readonly questions: Questions | null;
  readonly log: Log;
}

/** Gives a request to the endpoint. */
export function run(message: RequestMessage, { endpoint, client, outlet, questions, log }: RunOptions): Running {
  const { id, method } = message;
  const abort = new AbortController();
  let over = false;
  let settle!: (answer: Answer | null) => void;
  const answer = new Promise<Answer | null>((resolve) => {
    settle = resolve;
  });
  let asking: AbortController | null = null;
  const finish = (with_: Answer | null) => {
    if (over) return;
    over = true;
    settle(with_);
    asking?.abort(new RpcError(RPC.internalError, 'The request is over.'));
  };
  const stop = (reason: string, with_: Answer | null) => {
    if (over) return;
    finish(with_);
    abort.abort(new RpcError(RPC.internalError, reason));
  };

  const request: ClientRequest = {
    client,
    method,
    params: message.params,
    id,
    signal: abort.signal,
    notify: (told, params) => {
      if (!over) outlet.tell(messageText(told, params));
    },
    ask: (asked, params, signal) => {
      const answered = ask(asked, params, signal);
      // An endpoint may have no use for it any more, which is no reason to end the process.
      answered.catch(() => {});
      return answered;
    },
  };
  const ask: ClientRequest['ask'] = async (asked, params, signal) => {
    if (questions === null) throw new RpcError(RPC.internalError, `A client of this era can't be asked ${asked}.`);
    if (over) throw new RpcError(RPC.internalError, 'The request is over.');
    asking ??= new AbortController();
    return questions.ask(asked, params, outlet, signal ? AbortSignal.any([asking.signal, signal]) : asking.signal);
  };

  const succeed = (result: unknown) => finish({ jsonrpc: '2.0', id, result: result ?? {} });
  const fail = (thrown: unknown) => {
    if (!over) finish(errorAnswer(id, shown(thrown, method, log)));
  };
  try {
    endpoint.handle(request).then(succeed, fail);
  } catch (thrown) {
    fail(thrown);
  }

  return {
    id,
    method,
    answer,
    cancel: () => stop('The client took the request back.', null),
    end: (reason) => {
      const graceful = method === 'subscriptions/listen' && client.era === 'modern';
      const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_KEY]: id } };
      const ended = new RpcError(RPC.internalError, reason);
      stop(reason, graceful ? { jsonrpc: '2.0', id, result } : errorAnswer(id, ended));
    },
  };
}

/** Only RpcErrors are meant for clients; anything else is a fault of ours and may hold what they must not see. */
function shown(thrown: unknown, method: string, log: Log): RpcError {
  if (thrown instanceof RpcError) return thrown;
  log.error({ err: thrown, method }, 'A request of a client failed in an unexpected way');
  return new RpcError(RPC.internalError, 'Internal error');
}
