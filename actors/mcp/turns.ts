/**
 * Calls that could make the server ask its client, one after the other: while only one of them runs, it is certain whose
 * question comes. One that waits for an answer doesn't run.
 */

import type { RequestOptions } from '../context.ts';
import { createAbortListeners } from './abort-listeners.ts';
import { type SessionError, sessionError } from './session-error.ts';

/** Above it Node fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Milliseconds for which a call must have asked nothing more until others go ahead of its answer. */
const QUIET = 100;

export interface Waiter {
  readonly method: string;
  readonly options: RequestOptions;
  /** It is its turn; `Turn.over` follows when the call is over. */
  readonly go: (turn: Turn) => void;
  readonly reject: (error: SessionError) => void;
}

/** The right to run, of one call. */
export interface Turn {
  /** The call waits for its client, for minutes perhaps: soon others of the same caller go ahead. `resume` follows. */
  rest(): void;
  /** Resolves when it may go on. */
  resume(): Promise<void>;
  /** Others may run: it asks nothing now. */
  readonly rests: () => boolean;
  /** The call is over. */
  over(): void;
}

export interface Turns {
  /** Goes at once when nobody has a turn; else waits for it, as long as the caller's signal and its timeout allow. */
  take(waiter: Waiter): void;
  /** Rejects all who wait. */
  end(error: (waiter: Waiter) => SessionError): void;
}

export function createTurns(): Turns {
  const signals = createAbortListeners();
  const waiting = new Map<Waiter, () => void>();
  /** Turns that others run ahead of, with their callers. */
  const resting = new Map<Turn, string | undefined>();
  const resuming = new Map<Turn, () => void>();
  let running: Turn | null = null;

  const remove = (waiter: Waiter) => {
    waiting.get(waiter)?.();
    return waiting.delete(waiter);
  };
  const giveUp = (waiter: Waiter, error: SessionError) => {
    if (remove(waiter)) waiter.reject(error);
  };

  const queue = (waiter: Waiter) => {
    const { method, options } = waiter;
    const { timeout = LONGEST_TIMER, hardTimeout = LONGEST_TIMER, signal } = options;
    const patience = Math.min(timeout, hardTimeout, LONGEST_TIMER);
    const timer = setTimeout(() => giveUp(waiter, neverItsTurn(method, patience)), patience).unref();
    const unlisten =
      signal &&
      signals.add(signal, () =>
        giveUp(waiter, sessionError('CALL_CANCELLED', 'not-sent', { message: `${method} was aborted.` })),
      );
    waiting.set(waiter, () => {
      clearTimeout(timer);
      unlisten?.();
    });
  };

  /** Whoever goes ahead of a call that rests could be asked in its stead: only its own caller may. */
  const mayGo = ({ options: { caller } }: Waiter) =>
    resting.size === 0 || (caller !== undefined && [...resting.values()].every((other) => other === caller));

  function start(waiter: Waiter): void {
    const turn = createTurn(waiter.options.caller);
    running = turn;
    waiter.go(turn);
  }

  function advance(): void {
    if (running !== null) return;
    for (const [turn, resume] of resuming) {
      resuming.delete(turn);
      resting.delete(turn);
      running = turn;
      resume();
      return;
    }
    for (const waiter of waiting.keys()) {
      if (!mayGo(waiter)) continue;
      remove(waiter);
      start(waiter);
      return;
    }
  }

  function createTurn(caller: string | undefined): Turn {
    let open = 0;
    let timer: NodeJS.Timeout | undefined;
    const step = () => {
      if (running !== turn) return;
      running = null;
      resting.set(turn, caller);
      advance();
    };
    const turn: Turn = {
      rest() {
        open += 1;
        clearTimeout(timer);
        timer = setTimeout(step, QUIET).unref();
      },
      async resume() {
        open -= 1;
        clearTimeout(timer);
        if (resting.has(turn)) {
          await new Promise<void>((resolve) => {
            const earlier = resuming.get(turn);
            resuming.set(turn, () => {
              earlier?.();
              resolve();
            });
            advance();
          });
        }
        if (open > 0 && running === turn) timer = setTimeout(step, QUIET).unref();
      },
      rests: () => resting.has(turn),
      over() {
        clearTimeout(timer);
        resting.delete(turn);
        const resume = resuming.get(turn);
        resuming.delete(turn);
        resume?.();
        if (running === turn) running = null;
        advance();
      },
    };
    return turn;
  }

  return {
    take(waiter) {
      if (running === null && resuming.size === 0 && mayGo(waiter)) start(waiter);
      else queue(waiter);
    },
    end(error) {
      for (const waiter of [...waiting.keys()]) giveUp(waiter, error(waiter));
    },
  };
}

const neverItsTurn = (method: string, patience: number): SessionError =>
  sessionError('CALL_TIMEOUT', 'not-sent', {
    message: `${method} waited ${patience / 1000} s for the calls before it; nothing was sent.`,
    hint: 'An interactive plugin takes one call after the other; `instances: per-session` gives each client its own.',
    data: { method, timeout: patience },
  });
