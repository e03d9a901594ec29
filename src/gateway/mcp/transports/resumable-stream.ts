import type { EventStream } from './event-stream.ts';

/** A sequence of messages to one client that outlives the connections which carry it. */
export interface ResumableStream {
  readonly number: number;
  send(text: string): void;
  /** From now on this connection carries it; `after`: the last message that the client has, null when it has no idea. */
  attach(carrier: EventStream, after: number | null): void;
  /** That connection is gone; true when it was the one. */
  detach(carrier: EventStream): boolean;
  /** The connection that carries it now. */
  carrier(): EventStream | null;
}

export interface ResumableStreamOptions {
  readonly number: number;
  /** Whether the client takes an event without data, which tells it an id before there is a message. */
  readonly primed: boolean;
}

/** Characters and messages that are kept for a client that may come back; the newest message always is. */
const MOST_KEPT = 256 * 1024;
const MOST_MESSAGES = 256;
/** Milliseconds after which a client shall come back when its connection broke. */
const RETRY = 1000;

export function createResumableStream({ number, primed }: ResumableStreamOptions): ResumableStream {
  const kept: { readonly seq: number; readonly text: string }[] = [];
  let size = 0;
  let seq = 0;
  /** What went out on some connection, for a client that comes back without a word of what it has. */
  let carried = 0;
  let carrier: EventStream | null = null;

  const put = (to: EventStream, message: { readonly seq: number; readonly text: string }) => {
    if (!to.send(message.text, `${number}-${message.seq}`)) return;
    carried = Math.max(carried, message.seq);
  };

  return {
    number,
    send: (text) => {
      // Nobody needs to be told twice on return that a list is another one.
      if (carrier === null && kept.some((message) => message.seq > carried && message.text === text)) return;
      seq += 1;
      const message = { seq, text };
      kept.push(message);
      size += text.length;
      while (kept.length > 1 && (size > MOST_KEPT || kept.length > MOST_MESSAGES)) size -= kept.shift()!.text.length;
      if (carrier !== null) put(carrier, message);
    },
    attach: (next, after) => {
      carrier?.end();
      carrier = next;
      const from = after ?? carried;
      if (primed) next.prime(`${number}-${from}`, RETRY);
      for (const message of kept) if (message.seq > from) put(next, message);
    },
    detach: (gone) => {
      if (carrier !== gone) return false;
      carrier = null;
      return true;
    },
    carrier: () => carrier,
  };
}

/** `3-17`: message 17 of stream 3. */
export function readEventId(id: string): { readonly number: number; readonly seq: number } | null {
  const found = /^(\d{1,15})-(\d{1,15})$/.exec(id);
  return found === null ? null : { number: Number(found[1]), seq: Number(found[2]) };
}
