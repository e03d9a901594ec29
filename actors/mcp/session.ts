/**
 * An MCP session over any wire: ids, timeouts, progress, cancellation, fates, and the tool catalog. It relays at
 * message level: params go out and results come back as they are.
 */

import { createFailure, type Failure } from '../../machines/failure.ts';
import type { JsonRpcId, JsonRpcMessage, Log, RequestOptions, Session, ToolDescription } from '../context.ts';
import { askAgain } from './ask-again.ts';
import { createCatalog } from './catalog.ts';
import type { Negotiated } from './era.ts';
import { createLiveness } from './liveness.ts';
import { bareParams, type ClientCapabilities, legacyParams, modernParams } from './meta.ts';
import { createOfferedTools } from './offered-tools.ts';
import { createPendingCalls, type PendingCall } from './pending-calls.ts';
import { protocolError } from './protocol-error.ts';
import { RPC } from './rpc-codes.ts';
import { createServerRequests, mayAsk } from './server-requests.ts';
import { interrupted, SessionError, sessionError } from './session-error.ts';
import { createSubscriptions, subscriptionOf, withoutSubscription } from './subscriptions.ts';
import { createTurns, type Turn } from './turns.ts';
import type { Wire, WireEvents } from './wire.ts';

/** A session as its owner, the probe, sees it. */
export interface McpSession extends Session {
  /** Takes the handshake's outcome, confirms it (`notifications/initialized`) and fetches the catalog. */
  open(negotiated: Negotiated): Promise<void>;
  /** Its process or connection is gone: everything in flight is settled, `closed` resolves with the failure. */
  lost(failure: Failure): void;
  /** Takes secrets out of what errors quote. */
  readonly redact: (text: string) => string;
  /** What the server is told that its client can be asked; null for nothing. */
  readonly capabilities: ClientCapabilities | null;
}

export interface SessionOptions {
  readonly capabilities?: ClientCapabilities | null;
  /** Every call is one client's: whatever the server asks, it is that one whom it asks. Default false. */
  readonly sole?: boolean;
  readonly log?: Log;
}

/** Milliseconds without a tool list, right behind the handshake, before it is asked for again; servers answer in 0.5 s. */
const ASK_AGAIN = 3000;
const NO_OPTIONS: RequestOptions = {};
/** Of no single request, on whatever stream they come. */
const EVERYBODYS: ReadonlySet<string> = new Set([
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
]);
export function createSession(
  generation: number,
  createWire: (events: WireEvents) => Wire,
  redact: (text: string) => string = (text) => text,
  { capabilities = null, sole = false, log }: SessionOptions = {},
): McpSession {
  const listeners = new Set<(message: JsonRpcMessage) => void>();
  const catalog = createCatalog(
    (params) =>
      opening && wire.transport === 'stdio'
        ? askAgain((signal) => request('tools/list', params, { signal }), ASK_AGAIN)
        : request('tools/list', params),
    createOfferedTools({ mirrored: () => negotiated?.era === 'modern' && wire.transport === 'streamable-http', log }),
  );
  /** The catalog is fetched for the first time, right behind the handshake's last message. */
  let opening = false;
  let negotiated: Negotiated | null = null;
  let shape = bareParams;
  /** Why it carries nothing more. */
  let ended: Failure | null = null;
  let late = 0;
  let settleClosed: (failure: Failure | null) => void = () => {};
  const closed = new Promise<Failure | null>((resolve) => {
    settleClosed = resolve;
  });

  const inFlight = () => calls.size() - subscriptions.waiting();
  const subscriptions = createSubscriptions({
    request: (method, params, options) => request(method, params, options),
    ended: () => ended !== null,
  });
  const liveness = createLiveness({
    request: (method, params, options) => request(method, params, options),
    inFlight,
    capabilities: () => negotiated?.server.capabilities,
    ended: () => ended,
  });
  const isShared = capabilities !== null && !sole;
  /** Calls that could make the server ask are made one after the other, where nothing else tells whom it asks. */
  let oneByOne = false;
  const turns = createTurns();

  const calls = createPendingCalls((call, why) => {
    if (why.code === 'CALL_TIMEOUT') liveness.gaveUp();
    questions.abandoned(call);
    const told = wire.abandon(call.id);
    // The one request that must not be cancelled is the handshake (MCP 2025-11-25, cancellation).
    if (!told && call.method !== 'initialize') {
      notify('notifications/cancelled', { requestId: call.id, reason: why.message });
    }
  });

  const questions = createServerRequests({
    calls,
    interactive: () => capabilities !== null && negotiated?.era === 'legacy',
    sole,
    reply: (message) => {
      if (ended === null) wire.send(message, JSON.stringify(message));
    },
    log: log ?? null,
  });

  const wire = createWire({
    message: (message, origin) => receive(message, origin),
    waits: (id) => calls.has(numberOf(id)),
    failed: (id, error) => calls.take(numberOf(id))?.reject(error),
    lost: (failure) => end(failure, failure),
  });

  function request(method: string, params: unknown, options: RequestOptions = NO_OPTIONS): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (ended !== null) return reject(interrupted(method, ended, 'not-sent'));
      if (options.signal?.aborted) return reject(sessionError('CALL_CANCELLED', 'not-sent'));
      if (!oneByOne || !mayAsk(method)) return begin(method, params, options, resolve, reject);
      const over =
        <Outcome>(turn: Turn, settle: (outcome: Outcome) => void) =>
        (outcome: Outcome) => {
          settle(outcome);
          turn.over();
        };
      const go = (turn: Turn) => begin(method, params, options, over(turn, resolve), over(turn, reject), turn);
      turns.take({ method, options, reject, go });
    });
  }

  function begin(
    method: string,
    params: unknown,
    options: RequestOptions,
    resolve: PendingCall['resolve'],
    reject: PendingCall['reject'],
    turn: Turn | null = null,
  ): void {
    const call = calls.open(method, options, resolve, reject);
    call.turn = turn;
    const refusal = send(call, method, params);
    if (refusal !== null) calls.take(call.id)?.reject(refusal);
  }

  function send(call: PendingCall, method: string, params: unknown): SessionError | null {
    const token = call.options.onProgress === undefined ? null : call.id;
    const message = {
      jsonrpc: '2.0' as const,
      id: call.id,
      method,
      params: shape(params, token, call.options.onRequest !== undefined),
    };
    let text: string;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      return notJson(error);
    }
    return wire.send(message, text);
  }

  function notify(method: string, params: unknown): void {
    if (ended !== null) return;
    const message = { jsonrpc: '2.0' as const, method, params };
    wire.send(message, JSON.stringify(message));
  }

  function receive(message: JsonRpcMessage, origin?: JsonRpcId): void {
    liveness.heard();
    if (message.method === undefined) settle(message);
    else if (message.id !== undefined) answer(message.id, message, origin);
    else hear(message, origin);
  }

  function hear(message: JsonRpcMessage, origin: JsonRpcId | undefined): void {
    const { method } = message;
    if (method === 'notifications/progress' && progress(message)) return;
    if (method === 'notifications/cancelled') questions.cancelled(message.params);
    else if (method === 'notifications/tools/list_changed') followChange(message);
    else {
      const owner = EVERYBODYS.has(method ?? '') ? undefined : calls.get(numberOf(origin ?? subscriptionOf(message)));
      if (owner?.options.onNotification === undefined) tell(message);
      else owner.options.onNotification(message);
    }
  }

  /** Listeners hear of a changed catalog when `tools` is fresh again. */
  function followChange(message: JsonRpcMessage): void {
    const done = () => tell(message);
    catalog.refresh().then(done, done);
  }

  function settle(message: JsonRpcMessage): void {
    // Some servers answer with the id as a string; one that is unknown is a late reply or nonsense, dropped either way.
    const call = calls.take(numberOf(message.id));
    if (call === undefined) {
      late += 1;
      questions.late(numberOf(message.id));
      return;
    }
    // Some servers write both, one of them null (as JSON-RPC 1 did).
    if (message.error != null) call.reject(protocolError(message.error, redact));
    else if (message.result !== undefined) call.resolve(message.result);
    else
      call.reject(
        protocolError({ code: RPC.internalError, message: 'The answer has neither result nor error.' }, redact),
      );
  }

  function answer(id: JsonRpcId, request: JsonRpcMessage, origin: JsonRpcId | undefined): void {
    // A server that asks beside the streams of its calls is spoken to as over a pipe.
    oneByOne ||= isShared && origin === undefined && request.method !== 'ping';
    questions.answer(id, request, origin === undefined ? undefined : numberOf(origin));
    tell(request);
  }

  function progress(message: JsonRpcMessage): boolean {
    const token = (message.params as { progressToken?: unknown } | undefined)?.progressToken;
    return calls.progress(numberOf(token), message.params);
  }

  function tell(message: JsonRpcMessage): void {
    const own = subscriptionOf(message) === undefined ? message : withoutSubscription(message);
    for (const listener of listeners) listener(own);
  }

  function end(reason: Failure, outcome: Failure | null): void {
    if (ended !== null) return;
    ended = reason;
    subscriptions.close();
    turns.end(({ method }) => interrupted(method, reason, 'not-sent'));
    calls.rejectAll((call) => interrupted(call.method, reason, 'sent-unknown'));
    wire.close();
    listeners.clear();
    settleClosed(outcome);
  }

  return {
    generation,
    get transport() {
      return wire.transport;
    },
    get url() {
      return wire.url;
    },
    get era() {
      return negotiated?.era ?? null;
    },
    get protocolVersion() {
      return negotiated?.protocolVersion ?? null;
    },
    get server() {
      return negotiated?.server ?? {};
    },
    get tools(): readonly ToolDescription[] {
      return catalog.tools();
    },
    async open(outcome) {
      negotiated = outcome;
      if (outcome.era === 'modern') liveness.ask('server/discover');
      shape = outcome.era === 'modern' ? modernParams(outcome.protocolVersion, capabilities ?? {}) : legacyParams;
      oneByOne = isShared && outcome.era === 'legacy' && wire.transport !== 'streamable-http';
      wire.opened(outcome);
      if (outcome.era === 'legacy') notify('notifications/initialized', undefined);
      await wire.delivered();
      const { tools } = (outcome.server.capabilities ?? {}) as { tools?: unknown };
      if (tools !== undefined && tools !== null) {
        opening = true;
        await catalog.refresh().finally(() => {
          opening = false;
        });
      }
      await wire.listening?.();
      subscriptions.open(outcome);
    },
    request,
    redact,
    capabilities,
    notify,
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    follow: (uris) => subscriptions.follow(uris),
    post: () =>
      Promise.reject(
        sessionError('CALL_BAD_ARGUMENTS', 'not-sent', {
          message: 'This plugin speaks MCP: name a tool or a method instead of posting a payload.',
          hint: 'Use {tool, arguments} or {method, params}.',
        }),
      ),
    check: liveness.check,
    inFlight,
    lateReplies: () => late,
    closed,
    lost: (failure) => end(failure, failure),
    close: (reason) => end(reason, null),
  };
}

/** Ours are numbers, which some servers give back as text. An object has no number: `{"toString": 0}` makes Number() throw. */
const numberOf = (id: unknown): number => (typeof id === 'object' ? Number.NaN : Number(id));

const notJson = (error: unknown): SessionError =>
  new SessionError(
    createFailure('CALL_BAD_ARGUMENTS', { message: `The parameters are no JSON: ${(error as Error).message}` }),
    'not-sent',
    { cause: error },
  );
