/**
 * A modern client and a legacy plugin: what the plugin asks during a call becomes the call's answer (`input_required`),
 * and the call waits for the retry that brings what was asked for.
 */

import { createHash, randomBytes } from 'node:crypto';
import type { ServerRequest } from '../../../../actors/context.ts';
import type { ClientRequest } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { missingCapability, refusal, requiredFor } from './capabilities.ts';
import { questionForModern } from './url-elicitation.ts';

/** Milliseconds that a parked call waits for its retry: a person may have to type something. */
const TTL = 5 * 60_000;
/**
 * Milliseconds after which it is given up for others that wait: a server that talks over a pipe takes one call after the
 * other, so that it is certain whom it asks, and a client may well have gone for good.
 */
const PATIENCE = 5000;
/** Milliseconds in which a server may end a call by itself whose questions were refused, before it is cancelled. */
const LAST_WORDS = 5000;
/** Milliseconds in which further questions may come, to be asked in the same round. */
const GATHER = 10;
/** Parked calls at once; each holds a request of a plugin open. */
const MAX_PARKED = 1000;
/** Says whose state it is: one that we gave out is never passed on to a plugin. */
const PREFIX = 'parked.';

type Fields = Readonly<Record<string, unknown>>;

/** Makes the request to the plugin. */
export type Upstream = (options: {
  readonly signal: AbortSignal;
  readonly onRequest: (question: ServerRequest) => Promise<unknown>;
  /** The request of the client that waits for it now. */
  readonly current: () => ClientRequest;
}) => Promise<unknown>;

interface Question {
  readonly method: string;
  readonly params: unknown;
  answer(result: unknown): void;
  refuse(error: unknown): void;
}

/** One request to a plugin, over as many requests of the client as it takes. */
interface Call {
  readonly plugin: string;
  readonly principal: string;
  readonly method: string;
  readonly params: unknown;
  readonly questions: Map<string, Question>;
  /** Resolves with its answer, or with the state under which it is parked. */
  await(request: ClientRequest): Promise<unknown>;
  /** Nobody waits for it any more: its questions are refused, so that the server ends it by itself. */
  dismiss(): void;
  abort(): void;
}

export interface ParkedCallOptions {
  readonly ttl?: number;
  readonly patience?: number;
  /** Whether calls of that plugin wait for those before them, `parked` of which are parked. */
  readonly isCrowded?: (plugin: string, parked: number) => boolean;
}

export interface ParkedCalls {
  readonly size: () => number;
  /** Another call of that plugin comes: what is parked there may stand in its way. */
  makeRoom(plugin: string): void;
  /** Whether a request brings a state that we gave out, in whatever state of repair. */
  isRetry(params: unknown): boolean;
  /** Makes a request that may be parked. */
  begin(plugin: string, request: ClientRequest, method: string, params: unknown, upstream: Upstream): Promise<unknown>;
  /** Goes on with a parked one. Rejects with -32602 for a state that is not this client's, not this request's, or used up. */
  proceed(plugin: string, request: ClientRequest, method: string, params: unknown): Promise<unknown>;
  /** Gives up those of a plugin; their clients may begin anew. */
  dismiss(plugin: string): void;
  /** Gives all of them up. */
  close(): void;
}

interface Parked {
  readonly call: Call;
  readonly since: number;
  timer: NodeJS.Timeout;
}

export function createParkedCalls({
  ttl = TTL,
  patience = PATIENCE,
  isCrowded = () => false,
}: ParkedCallOptions = {}): ParkedCalls {
  const parked = new Map<string, Parked>();

  const giveUpAfter = (state: string, call: Call, delay: number) =>
    setTimeout(() => {
      parked.delete(state);
      call.dismiss();
    }, delay).unref();

  const parkedAt = (plugin: string) => [...parked].filter(([, { call }]) => call.plugin === plugin);

  function park(call: Call): string {
    const state = PREFIX + randomBytes(24).toString('base64url');
    const delay = isCrowded(call.plugin, parkedAt(call.plugin).length + 1) ? patience : ttl;
    parked.set(state, { call, since: performance.now(), timer: giveUpAfter(state, call, delay) });
    return state;
  }

  function begin(plugin: string, first: ClientRequest, method: string, params: unknown, upstream: Upstream) {
    const questions = new Map<string, Question>();
    const controller = new AbortController();
    let current = first;
    let asked = 0;
    let gathering: NodeJS.Timeout | null = null;
    /** Settles what the client waits for now. */
    let settle: { readonly resolve: (result: unknown) => void; readonly reject: (error: unknown) => void } | null =
      null;
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
      if (parked.size >= MAX_PARKED) return fail(new RpcError(RPC.internalError, 'Too many requests wait for input.'));
      const inputRequests = Object.fromEntries(
        [...questions].map(([key, { method, params }]) => [
          key,
          { method, ...(params === undefined ? {} : { params }) },
        ]),
      );
      settle.resolve({ resultType: 'input_required', inputRequests, requestState: park(call) });
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

    const call: Call = {
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
    return call.await(first);
  }

  return {
    size: () => parked.size,
    makeRoom(plugin) {
      const here = parkedAt(plugin);
      if (here.length === 0 || !isCrowded(plugin, 0)) return;
      for (const [state, entry] of here) {
        clearTimeout(entry.timer);
        entry.timer = giveUpAfter(state, entry.call, Math.max(0, entry.since + patience - performance.now()));
      }
    },
    isRetry: (params) => stateIn(params)?.startsWith(PREFIX) === true,
    begin,
    async proceed(plugin, request, method, params) {
      const state = stateIn(params) ?? '';
      const entry = parked.get(state);
      if (entry === undefined || !belongs(entry.call, plugin, request, method, params)) {
        throw unknownState();
      }
      const { call } = entry;
      const answers = responsesIn(params, call.questions);
      parked.delete(state);
      clearTimeout(entry.timer);
      for (const [question, answer] of answers) question.answer(answer);
      return call.await(request);
    },
    dismiss(plugin) {
      // Their states stay: how it ended may be asked for.
      for (const [, { call }] of parkedAt(plugin)) call.dismiss();
    },
    close() {
      for (const { call, timer } of parked.values()) {
        clearTimeout(timer);
        call.abort();
      }
      parked.clear();
    },
  };
}

/** What the server hears whose client has not come back, or can't be asked. */
const GONE = new RpcError(RPC.internalError, 'The client does not answer.');

/** Requests that may be answered with `input_required` (MCP 2026-07-28, multi round-trip requests). */
export const mayBeParked = (method: string): boolean => /^(tools\/call|prompts\/get|resources\/read)$/.test(method);

interface Retry {
  readonly requestState?: unknown;
  readonly inputResponses?: unknown;
}

const stateIn = (params: unknown): string | undefined => {
  const state = (params as Retry | null | undefined)?.requestState;
  return typeof state === 'string' ? state : undefined;
};

const belongs = (call: Call, plugin: string, { client }: ClientRequest, method: string, params: unknown): boolean =>
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
function responsesIn(params: unknown, questions: Map<string, Question>): readonly (readonly [Question, unknown])[] {
  const { inputResponses = {} } = params as Retry;
  if (!isObject(inputResponses)) throw badResponses('inputResponses must be an object.');
  const known = Object.entries(inputResponses).flatMap(([key, answer]) => {
    const question = questions.get(key);
    return question === undefined ? [] : [{ key, question, answer }];
  });
  for (const { key, answer } of known)
    if (!isObject(answer)) throw badResponses(`inputResponses.${key} must be an object.`);
  for (const { key } of known) questions.delete(key);
  return known.map(({ question, answer }) => [question, answer] as const);
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unknownState = () =>
  new RpcError(RPC.invalidParams, 'Invalid params: this requestState is unknown, expired, or of another request.');

const badResponses = (what: string) => new RpcError(RPC.invalidParams, `Invalid params: ${what}`);
