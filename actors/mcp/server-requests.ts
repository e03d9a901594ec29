/** What a server asks its client: whom it concerns, and the answer. */

import type { JsonRpcId, JsonRpcMessage, Log } from '../context.ts';
import type { PendingCall, PendingCalls } from './pending-calls.ts';
import { words } from './protocol-error.ts';
import { RPC } from './rpc-codes.ts';

/** Requests on which a server may ask back. */
const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete']);
export const mayAsk = (method: string): boolean => MAY_ASK.has(method);

/** Milliseconds in which a server that was told of a cancellation may still ask on behalf of what was cancelled. */
const AFTERMATH = 10_000;

export interface ServerRequestParts {
  readonly calls: PendingCalls;
  /** A client can be asked at all. */
  readonly interactive: () => boolean;
  /** All calls are one client's. */
  readonly sole: boolean;
  /** Puts out an answer. */
  readonly reply: (message: JsonRpcMessage) => void;
  readonly log: Log | null;
}

export interface ServerRequests {
  /** Sees to the answer; `origin` is the request on whose own stream it came, if that is known. */
  answer(id: JsonRpcId, request: JsonRpcMessage, origin: number | undefined): void;
  /** The server takes a question back. */
  cancelled(params: unknown): void;
  /** A call was given up, of which the server may not know yet. */
  abandoned(call: PendingCall): void;
  /** The server is through with a call that was given up. */
  late(id: number): void;
}

export function createServerRequests({ calls, interactive, sole, reply, log }: ServerRequestParts): ServerRequests {
  /** Questions that are open. */
  const open = new Map<JsonRpcId, AbortController>();
  /** Calls that were given up and may still run, by id. */
  const doubts = new Map<number, { readonly caller: string | undefined; readonly until: number }>();

  const refuse = (id: JsonRpcId, code: number, message: string) =>
    reply({ jsonrpc: '2.0', id, error: { code, message } });

  /** The one call that can have caused a question; null for none, `several` when that is anybody's guess. */
  const suspect = (): PendingCall | null | 'several' => {
    let found: PendingCall | null = null;
    const resting: PendingCall[] = [];
    for (const call of calls.values()) {
      if (!mayAsk(call.method)) continue;
      if (call.turn?.rests()) {
        resting.push(call);
        continue;
      }
      if (found !== null) return 'several';
      found = call;
    }
    if (found === null && resting.length > 1) return 'several';
    found ??= resting[0] ?? null;
    const now = performance.now();
    for (const [id, { caller, until }] of doubts) {
      if (until < now) doubts.delete(id);
      else if (found !== null && caller !== found.options.caller) return 'several';
    }
    return found;
  };

  /** With one client any of its calls reaches it: the newest, because what asks mostly asks at once. */
  const newest = (): PendingCall | null => {
    let found: PendingCall | null = null;
    for (const call of calls.values()) if (mayAsk(call.method)) found = call;
    return found;
  };

  async function ask(call: PendingCall, id: JsonRpcId, { method, params }: JsonRpcMessage) {
    const controller = new AbortController();
    open.set(id, controller);
    const { over } = call;
    call.over = () => {
      over?.();
      if (open.get(id) !== controller) return;
      open.delete(id);
      controller.abort();
      refuse(id, RPC.internalError, 'The request that this belongs to is over.');
    };
    const done = calls.pause(call);
    call.turn?.rest();
    let answer: Pick<JsonRpcMessage, 'result' | 'error'>;
    try {
      const question = { method: method as string, params, signal: controller.signal };
      answer = { result: (await call.options.onRequest?.(question)) ?? {} };
    } catch (thrown) {
      answer = { error: errorOf(thrown) };
    }
    await call.turn?.resume();
    done();
    if (open.get(id) !== controller) return;
    open.delete(id);
    reply({ jsonrpc: '2.0', id, ...answer });
  }

  return {
    answer(id, request, origin) {
      const { method } = request;
      if (method === 'ping') return reply({ jsonrpc: '2.0', id, result: {} });
      const call = !interactive()
        ? null
        : origin === undefined
          ? sole
            ? newest()
            : suspect()
          : (calls.get(origin) ?? null);
      if (call === 'several') {
        log?.warn({ method }, 'the server asks its client something, and several calls could have caused it');
        return refuse(
          id,
          RPC.internalError,
          'Ambiguous origin: several requests in flight could have caused this one.',
        );
      }
      if (call === null || call.options.onRequest === undefined) {
        return refuse(id, RPC.methodNotFound, `Method not found: ${words(method)}`);
      }
      if (!open.has(id)) void ask(call, id, request);
    },
    cancelled(params) {
      const id = (params as { requestId?: JsonRpcId } | undefined)?.requestId;
      if (id === undefined) return;
      const controller = open.get(id);
      open.delete(id);
      controller?.abort();
    },
    abandoned(call) {
      if (!interactive() || !mayAsk(call.method)) return;
      doubts.set(call.id, { caller: call.options.caller, until: performance.now() + AFTERMATH });
    },
    late: (id) => void doubts.delete(id),
  };
}

/** A JSON-RPC error as it was thrown; anything else is nothing that a server should read. */
function errorOf(thrown: unknown): NonNullable<JsonRpcMessage['error']> {
  const { code, message, data } = (thrown ?? {}) as { code?: unknown; message?: unknown; data?: unknown };
  if (typeof code !== 'number' || typeof message !== 'string') {
    return { code: RPC.internalError, message: 'The client could not be asked.' };
  }
  return { code, message, ...(data !== undefined && { data }) };
}
