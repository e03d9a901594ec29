/**
 * Requests in flight. One timer serves them all: it is armed for the earliest deadline and looks at the map when it
 * fires, so a call that is answered in time costs no timer at all. An answer that came in time but was not read in time,
 * because the event loop stood still, counts as in time.
 */

import type { Failure } from '../../machines/failure.ts';
import type { RequestOptions } from '../context.ts';
import { type PatientTimeout, setPatientTimeout } from '../patient-timeout.ts';
import { createAbortListeners } from './abort-listeners.ts';
import { type SessionError, sessionError } from './session-error.ts';
import type { Turn } from './turns.ts';

/** Defaults in milliseconds. */
const CALL_TIMEOUT = 60_000;
const HARD_TIMEOUT = 600_000;
/** Above it Node fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface PendingCall {
  readonly id: number;
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: SessionError) => void;
  readonly options: RequestOptions;
  /** Monotonic clock; moved on by progress, never past `hardDue`. */
  due: number;
  readonly hardDue: number;
  /** Called once, when it is settled: forgets the caller's signal, takes back what the server asks on its behalf. */
  over: (() => void) | null;
  /** Where calls are made one after the other. */
  turn: Turn | null;
}

export interface PendingCalls {
  readonly size: () => number;
  /** Registers a call: from now on exactly one of resolve and reject is called. */
  open(
    method: string,
    options: RequestOptions,
    resolve: PendingCall['resolve'],
    reject: PendingCall['reject'],
  ): PendingCall;
  has(id: number): boolean;
  get(id: number): PendingCall | undefined;
  values(): Iterable<PendingCall>;
  /** Takes a call out, for whoever settles it; undefined when it is settled already (a late reply). */
  take(id: number): PendingCall | undefined;
  /** Restarts the timeout of a call; false when there is none of that id. */
  progress(id: number, params: unknown): boolean;
  /** Only the hard timeout counts until the returned function is called: the server waits for its client, not we for it. */
  pause(call: PendingCall): () => void;
  rejectAll(error: (call: PendingCall) => SessionError): void;
}

/** `abandoned` hears of every call that timed out or was aborted, after it was rejected. */
export function createPendingCalls(abandoned: (call: PendingCall, why: Failure) => void): PendingCalls {
  const calls = new Map<number, PendingCall>();
  const signals = createAbortListeners();
  /** Calls that the server has questions about, with their number. */
  const paused = new WeakMap<PendingCall, number>();
  let nextId = 1;
  let timer: PatientTimeout | null = null;
  let timerDue = Number.POSITIVE_INFINITY;

  const take = (id: number) => {
    const call = calls.get(id);
    if (call === undefined) return undefined;
    calls.delete(id);
    call.over?.();
    return call;
  };

  const arm = (due: number, now: number) => {
    timer?.cancel();
    timerDue = due;
    // The pipes and sockets keep the program alive; a timer that outlives its calls must not.
    timer = setPatientTimeout(expire, Math.min(due - now + 1, LONGEST_TIMER), { ref: false });
  };

  const expire = () => {
    timer = null;
    timerDue = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const call of calls.values()) {
      if (call.due > now) next = Math.min(next, call.due);
      else giveUp(call, timedOut(call, now));
    }
    if (next < timerDue) arm(next, now);
  };

  const giveUp = (call: PendingCall, error: SessionError) => {
    if (take(call.id) === undefined) return;
    call.reject(error);
    abandoned(call, error.failure);
  };

  return {
    size: () => calls.size,
    has: (id) => calls.has(id),
    get: (id) => calls.get(id),
    values: () => calls.values(),
    take,
    open(method, options, resolve, reject) {
      const now = performance.now();
      const hardDue = now + (options.hardTimeout ?? HARD_TIMEOUT);
      const due = Math.min(now + (options.timeout ?? CALL_TIMEOUT), hardDue);
      const call: PendingCall = {
        id: nextId++,
        method,
        resolve,
        reject,
        options,
        due,
        hardDue,
        over: null,
        turn: null,
      };
      calls.set(call.id, call);
      if (due < timerDue) arm(due, now);
      if (options.signal !== undefined) {
        call.over = signals.add(options.signal, () =>
          giveUp(call, sessionError('CALL_CANCELLED', 'sent-unknown', { message: `${method} was aborted.` })),
        );
      }
      return call;
    },
    progress(id, params) {
      const call = calls.get(id);
      if (call === undefined) return false;
      call.due = paused.has(call) ? call.hardDue : dueFromNow(call);
      call.options.onProgress?.(params);
      return true;
    },
    pause(call) {
      paused.set(call, (paused.get(call) ?? 0) + 1);
      call.due = call.hardDue;
      return () => {
        const others = (paused.get(call) ?? 1) - 1;
        if (others > 0) return void paused.set(call, others);
        paused.delete(call);
        call.due = dueFromNow(call);
        if (calls.has(call.id) && call.due < timerDue) arm(call.due, performance.now());
      };
    },
    rejectAll(error) {
      for (const id of [...calls.keys()]) {
        const call = take(id);
        call?.reject(error(call));
      }
      timer?.cancel();
      timer = null;
      timerDue = Number.POSITIVE_INFINITY;
    },
  };
}

const dueFromNow = (call: PendingCall): number =>
  Math.min(performance.now() + (call.options.timeout ?? CALL_TIMEOUT), call.hardDue);

const timedOut = (call: PendingCall, now: number): SessionError => {
  const hard = now >= call.hardDue;
  const limit = hard ? (call.options.hardTimeout ?? HARD_TIMEOUT) : (call.options.timeout ?? CALL_TIMEOUT);
  return sessionError('CALL_TIMEOUT', 'sent-unknown', {
    message: `${call.method} was not answered within ${limit / 1000} s${hard ? ', progress or not' : ''}.`,
    data: { method: call.method, timeout: limit },
  });
};
