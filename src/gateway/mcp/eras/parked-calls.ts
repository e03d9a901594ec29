/**
 * A modern client and a legacy plugin: what the plugin asks during a call becomes the call's answer (`input_required`),
 * and the call waits for the retry that brings what was asked for.
 */

import { randomBytes } from 'node:crypto';
import type { ClientRequest } from '../contracts.ts';
import { beginCall, type CallParts, type ParkableCall } from './parkable-call.ts';
import { belongs, responsesIn, stateIn, unknownState } from './retry.ts';

/** Milliseconds that a parked call waits for its retry: a person may have to type something. */
const TTL = 5 * 60_000;
/**
 * Milliseconds after which it is given up for others that wait: a server that talks over a pipe takes one call after the
 * other, so that it is certain whom it asks, and a client may well have gone for good.
 */
const PATIENCE = 5000;
/** Parked calls at once; each holds a request of a plugin open. */
const MAX_PARKED = 1000;
/** Says whose state it is: one that we gave out is never passed on to a plugin. */
const PREFIX = 'parked.';

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
  begin(parts: CallParts): Promise<unknown>;
  /** Goes on with a parked one. Rejects with -32602 for a state that is not this client's, not this request's, or used up. */
  proceed(plugin: string, request: ClientRequest, method: string, params: unknown): Promise<unknown>;
  /** Gives up those of a plugin; their clients may begin anew. */
  dismiss(plugin: string): void;
  /** Gives all of them up. */
  close(): void;
}

interface Parked {
  readonly call: ParkableCall;
  readonly since: number;
  timer: NodeJS.Timeout;
}

export function createParkedCalls({
  ttl = TTL,
  patience = PATIENCE,
  isCrowded = () => false,
}: ParkedCallOptions = {}): ParkedCalls {
  const parked = new Map<string, Parked>();

  const giveUpAfter = (state: string, call: ParkableCall, delay: number) =>
    setTimeout(() => {
      parked.delete(state);
      call.dismiss();
    }, delay).unref();

  const parkedAt = (plugin: string) => [...parked].filter(([, { call }]) => call.plugin === plugin);

  function park(call: ParkableCall): string | null {
    if (parked.size >= MAX_PARKED) return null;
    const state = PREFIX + randomBytes(24).toString('base64url');
    const delay = isCrowded(call.plugin, parkedAt(call.plugin).length + 1) ? patience : ttl;
    parked.set(state, { call, since: performance.now(), timer: giveUpAfter(state, call, delay) });
    return state;
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
    begin: (parts) => beginCall(parts, park).await(parts.request),
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
