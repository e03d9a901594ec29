import type { ServerResponse } from 'node:http';
import type { EventStream, EventStreams } from './event-stream.ts';
import { type Accepts, sendAccepted, sendJson } from './http-answers.ts';
import type { LegacySession } from './legacy-session.ts';
import type { ResumableStream } from './resumable-stream.ts';
import type { Outlet, Running } from './running.ts';

/**
 * A POST with requests of the legacy era. Its answer is JSON if nothing comes before it, else a stream of events. A client
 * that lost the connection did not take its request back: it may take the stream up again with a GET.
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
  readonly over: boolean;
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

  const forget = () => {
    if (timer !== null) clearTimeout(timer);
    if (stream !== null) session.posts.delete(stream.number);
    stream?.carrier?.end();
    for (const one of running) one.cancel();
  };
  const lost = () => {
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
  response.once('close', plain);

  const post: Post = {
    get reachable() {
      return stream !== null || (accepts.stream && !response.destroyed) || session.standing.carrier !== null;
    },
    tell: (text) => {
      if (over) return;
      if (stream === null && accepts.stream && !response.destroyed) open();
      // Who takes no stream here may have a standing one.
      (stream ?? session.standing).send(text);
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
        const finished = [...session.posts.values()].filter((one) => one.over);
        for (const one of finished.slice(0, -MOST_FINISHED)) one.forget();
        if (stream.carrier === null) return lost();
        return stream.carrier.end();
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
    get over() {
      return over;
    },
  };
  return post;
}

const named = ({ id, ended }: LegacySession) => (ended ? undefined : { 'mcp-session-id': id });
