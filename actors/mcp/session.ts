/**
 * An MCP session over any wire: ids, timeouts, progress, cancellation, fates, and the tool catalog. It relays at
 * message level: params go out and results come back as they are.
 */

import type { Health } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { JsonRpcId, JsonRpcMessage, RequestOptions, Session, ToolDescription } from '../context.ts';
import { redactValue } from '../redact.ts';
import { askAgain } from './ask-again.ts';
import { createCatalog } from './catalog.ts';
import type { Negotiated } from './era.ts';
import { bareParams, legacyParams, modernParams } from './meta.ts';
import { createPendingCalls, type PendingCall } from './pending-calls.ts';
import { interrupted, SessionError, sessionError } from './session-error.ts';
import type { Wire, WireEvents } from './wire.ts';

/** A session as its owner, the probe, sees it. */
export interface McpSession extends Session {
  /** Takes the handshake's outcome, confirms it (`notifications/initialized`) and fetches the catalog. */
  open(negotiated: Negotiated): Promise<void>;
  /** Its process or connection is gone: everything in flight is settled, `closed` resolves with the failure. */
  lost(failure: Failure): void;
  /** Takes secrets out of what errors quote. */
  readonly redact: (text: string) => string;
}

/** Milliseconds before a subscription that the server ended is asked for again. */
const RELISTEN_DELAY = 5000;
/** Milliseconds without a tool list, right behind the handshake, before it is asked for again; servers answer in 0.5 s. */
const ASK_AGAIN = 3000;
const NO_OPTIONS: RequestOptions = {};
/** JSON-RPC's own code for it. */
const INTERNAL_ERROR = -32603;
const UNLIMITED: RequestOptions = { timeout: Number.POSITIVE_INFINITY, hardTimeout: Number.POSITIVE_INFINITY };

export function createSession(
  generation: number,
  createWire: (events: WireEvents) => Wire,
  redact: (text: string) => string = (text) => text,
): McpSession {
  const listeners = new Set<(message: JsonRpcMessage) => void>();
  const catalog = createCatalog((params) =>
    opening && wire.transport === 'stdio'
      ? askAgain((signal) => request('tools/list', params, { signal }), ASK_AGAIN)
      : request('tools/list', params),
  );
  /** The catalog is fetched for the first time, right behind the handshake's last message. */
  let opening = false;
  let negotiated: Negotiated | null = null;
  let shape = bareParams;
  /** Why it carries nothing more. */
  let ended: Failure | null = null;
  /** Our own long request for change notifications (modern era), not counted as work. */
  let listening: 0 | 1 = 0;
  let late = 0;
  let settleClosed: (failure: Failure | null) => void = () => {};
  const closed = new Promise<Failure | null>((resolve) => {
    settleClosed = resolve;
  });

  /** A call was given up without a word from the server since. */
  let unanswered = false;
  /** How it is asked whether it answers: what it answered last. */
  let question = 'ping';
  const inFlight = () => calls.size() - listening;

  const calls = createPendingCalls((call, why) => {
    unanswered ||= why.code === 'CALL_TIMEOUT';
    const told = wire.abandon(call.id);
    // The one request that must not be cancelled is the handshake (MCP 2025-11-25, cancellation).
    if (!told && call.method !== 'initialize') {
      notify('notifications/cancelled', { requestId: call.id, reason: why.message });
    }
  });

  const wire = createWire({
    message: (message) => receive(message),
    waits: (id) => calls.has(numberOf(id)),
    failed: (id, error) => calls.take(numberOf(id))?.reject(error),
    lost: (failure) => end(failure, failure),
  });

  function request(method: string, params: unknown, options: RequestOptions = NO_OPTIONS): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (ended !== null) return reject(interrupted(method, ended, 'not-sent'));
      if (options.signal?.aborted) return reject(sessionError('CALL_CANCELLED', 'not-sent'));
      const call = calls.open(method, options, resolve, reject);
      const refusal = send(call, method, params);
      if (refusal !== null) calls.take(call.id)?.reject(refusal);
    });
  }

  function send(call: PendingCall, method: string, params: unknown): SessionError | null {
    const token = call.options.onProgress === undefined ? null : call.id;
    const message = { jsonrpc: '2.0' as const, id: call.id, method, params: shape(params, token) };
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

  /** Some servers leave a ping without an answer, as any method that they don't know; what they have to list they know. */
  async function check(signal: AbortSignal, again: boolean): Promise<Health> {
    if (ended !== null) return { status: 'silent', failure: ended };
    if (inFlight() > 0 && !unanswered) return { status: 'well' };
    const has = (negotiated?.server.capabilities ?? {}) as Readonly<Record<string, unknown>>;
    const listed = ['tools', 'prompts', 'resources'].find((kind) => has[kind] != null);
    const method = again && listed !== undefined ? `${listed}/list` : question;
    try {
      await request(method, {}, { signal });
    } catch (error) {
      const { failure, fate } = error as SessionError;
      if (fate !== 'answered') return { status: 'silent', failure };
    }
    question = method;
    return { status: 'well' };
  }

  function receive(message: JsonRpcMessage): void {
    unanswered = false;
    if (message.method === undefined) settle(message);
    else if (message.id !== undefined) answer(message.id, message);
    else if (message.method === 'notifications/tools/list_changed') followChange(message);
    else if (message.method !== 'notifications/progress' || !progress(message)) tell(message);
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
      return;
    }
    // Some servers write both, one of them null (as JSON-RPC 1 did).
    if (message.error != null) call.reject(protocolError(message.error, redact));
    else if (message.result !== undefined) call.resolve(message.result);
    else
      call.reject(protocolError({ code: INTERNAL_ERROR, message: 'The answer has neither result nor error.' }, redact));
  }

  function answer(id: JsonRpcId, request: JsonRpcMessage): void {
    const { method } = request;
    // We declare no capability, so the only request that a server may send is a ping.
    const reply =
      method === 'ping'
        ? { jsonrpc: '2.0' as const, id, result: {} }
        : { jsonrpc: '2.0' as const, id, error: { code: -32601, message: `Method not found: ${words(method)}` } };
    wire.send(reply, JSON.stringify(reply));
    tell(request);
  }

  function progress(message: JsonRpcMessage): boolean {
    const token = (message.params as { progressToken?: unknown } | undefined)?.progressToken;
    return calls.progress(numberOf(token), message.params);
  }

  function tell(message: JsonRpcMessage): void {
    for (const listener of listeners) listener(message);
  }

  function end(reason: Failure, outcome: Failure | null): void {
    if (ended !== null) return;
    ended = reason;
    calls.rejectAll((call) => interrupted(call.method, reason, 'sent-unknown'));
    wire.close();
    listeners.clear();
    settleClosed(outcome);
  }

  /** Modern servers tell of a changed catalog only on request; one that won't is not asked twice. */
  function listenForChanges(): void {
    listening = 1;
    request('subscriptions/listen', { notifications: { toolsListChanged: true } }, UNLIMITED).then(
      () => {
        listening = 0;
        setTimeout(() => ended === null && listenForChanges(), RELISTEN_DELAY).unref();
      },
      () => {
        listening = 0;
      },
    );
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
      if (outcome.era === 'modern') question = 'server/discover';
      shape = outcome.era === 'modern' ? modernParams(outcome.protocolVersion) : legacyParams;
      wire.opened(outcome);
      if (outcome.era === 'legacy') notify('notifications/initialized', undefined);
      await wire.delivered();
      const { tools } = (outcome.server.capabilities ?? {}) as { tools?: { listChanged?: boolean } };
      if (tools === undefined || tools === null) return;
      opening = true;
      await catalog.refresh().finally(() => {
        opening = false;
      });
      if (outcome.era === 'modern' && tools.listChanged === true) listenForChanges();
    },
    request,
    redact,
    notify,
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async follow() {},
    post: () =>
      Promise.reject(
        sessionError('CALL_BAD_ARGUMENTS', 'not-sent', {
          message: 'This plugin speaks MCP: name a tool or a method instead of posting a payload.',
          hint: 'Use {tool, arguments} or {method, params}.',
        }),
      ),
    check,
    inFlight,
    lateReplies: () => late,
    closed,
    lost: (failure) => end(failure, failure),
    close: (reason) => end(reason, null),
  };
}

/** Ours are numbers, which some servers give back as text. An object has no number: `{"toString": 0}` makes Number() throw. */
const numberOf = (id: unknown): number => (typeof id === 'object' ? Number.NaN : Number(id));

/** Of what ought to be a word or a number and came from outside. */
const words = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** The error as the server gave it, without secrets; one that is no error object is told as it stands. */
function protocolError(given: NonNullable<JsonRpcMessage['error']>, redact: (text: string) => string): SessionError {
  const isObject = typeof given === 'object' && typeof given.message === 'string';
  const { code, data, ...error } = isObject ? given : { code: INTERNAL_ERROR, message: JSON.stringify(given) };
  const message = redact(error.message);
  return sessionError('CALL_PROTOCOL_ERROR', 'answered', {
    message: `${message} (${words(code)})`,
    data: { code, message, ...(data !== undefined && { data: redactValue(data, redact) }) },
  });
}

const notJson = (error: unknown): SessionError =>
  new SessionError(
    createFailure('CALL_BAD_ARGUMENTS', { message: `The parameters are no JSON: ${(error as Error).message}` }),
    'not-sent',
    { cause: error },
  );
