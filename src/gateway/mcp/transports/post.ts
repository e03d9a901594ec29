import type { ServerResponse } from 'node:http';
import type { EventStream, EventStreams } from './event-stream.ts';
import { type Accepts, sendAccepted, sendJson } from './http-answers.ts';
import type { LegacySession } from './legacy-session.ts';
import type { ResumableStream } from './resumable-stream.ts';
import type { Outlet, Running } from './running.ts';

/**
 * A POST with requests of the legacy era. Its answer is JSON if nothing comes before it, else a stream of events. A client
 * that lost the connection did not take its request back: it may take the stream up again with a GET. (No getters here: V8
 * makes a hidden class for each literal that has one, which keeps the request alive through some collections: 17 µs each.)
 */
export interface Post extends Outlet {
  /** What it waits for. */
  carries(running: readonly Running[]): void;
  /** The texts of its answers: `batch` where one text must hold them all. Empty when all were taken back. */
  finish(answers: readonly string[], batch: boolean): void;
  /** A new connection takes the stream up after that message. */
  resume(response: ServerResponse, after: number): void;
  /** Nobody comes for it any more. */
  forget(): void;
  /** Whether its answers went out. */
  isOver(): boolean;
}

/** Streams with an answer that a session keeps, because what was sent may be lost with its connection. */
const MOST_FINISHED = 8;

export interface PostOptions {
  readonly session: LegacySession;
  readonly response: ServerResponse;
  readonly accepts: Accepts;
  readonly streams: EventStreams;
  /** Milliseconds for which a client that lost the connection may come back. */
  readonly grace: number;
}

export function createPost({ session, response, accepts, streams, grace }: PostOptions): Post {
  let stream: ResumableStream | null = null;
  let running: readonly Running[] = [];
  let over = false;
  let timer: NodeJS.Timeout | null = null;
  let forgotten = false;

  const forget = () => {
    forgotten = true;
    if (timer !== null) clearTimeout(timer);
    if (stream !== null) session.posts.delete(stream.number);
    stream?.carrier()?.end();
    for (const one of running) one.cancel();
  };
  const lost = () => {
    if (forgotten) return;
    timer ??= setTimeout(forget, grace).unref();
  };
  const watch = (on: ServerResponse, carrier: EventStream | null) => {
    on.once('close', () => {
      if (carrier !== null && stream?.detach(carrier) === false) return;
      session.seen = Date.now();
      lost();
    });
  };
  const open = () => {
    stream = session.openStream();
    session.posts.set(stream.number, post);
    const carrier = streams.open(response, named(session));
    watch(response, carrier);
    stream.attach(carrier, null);
    return stream;
  };
  const plain = () => {
    if (!over && stream === null) lost();
  };
  if (response.destroyed) lost();
  else response.once('close', plain);

  const post: Post = {
    reachable: () => {
      if (stream !== null) return true;
      return accepts.stream ? !response.destroyed : session.standing().carrier() !== null;
    },
    tell: (text) => {
      if (over) return;
      if (stream !== null) return stream.send(text);
      // Who takes no stream here may have a standing one.
      if (!accepts.stream) return session.standing().send(text);
      if (!response.destroyed) open().send(text);
    },
    carries: (all) => {
      running = all;
    },
    finish: (answers, batch) => {
      if (over) return;
      if (stream === null && answers.length > 0 && !accepts.json && !response.destroyed) open();
      over = true;
      if (stream !== null) {
        for (const text of answers) stream.send(text);
        const finished = [...session.posts.values()].filter((one) => one.isOver());
        for (const one of finished.slice(0, -MOST_FINISHED)) one.forget();
        const carrier = stream.carrier();
        return carrier === null ? lost() : carrier.end();
      }
      if (timer !== null) clearTimeout(timer);
      response.off('close', plain);
      if (answers.length === 0) sendAccepted(response);
      else sendJson(response, 200, batch ? `[${answers.join(',')}]` : answers[0]!, named(session));
    },
    resume: (next, after) => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      const carrier = streams.open(next, named(session));
      watch(next, carrier);
      stream?.attach(carrier, after);
      if (over) carrier.end();
    },
    forget,
    isOver: () => over,
  };
  return post;
}

const named = ({ id, isEnded }: LegacySession) => (isEnded() ? undefined : { 'mcp-session-id': id });
