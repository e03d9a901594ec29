import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Log } from '../../../../actors/context.ts';
import type { Endpoint } from '../contracts.ts';
import { PRIMED_SINCE } from '../versions.ts';
import { type Conversation, createConversation, createLateClient, type LateClient } from './conversation.ts';
import type { EventStreams } from './event-stream.ts';
import { messageText } from './messages.ts';
import type { Post } from './post.ts';
import { createResumableStream, type ResumableStream } from './resumable-stream.ts';

/** One client of the legacy era, from `initialize` on. */
export interface LegacySession {
  /** `Mcp-Session-Id`: a secret of the client. */
  readonly id: string;
  /** What it was opened at; it counts nowhere else, nor when its principal sees something else now. */
  readonly endpoint: Endpoint;
  readonly client: LateClient;
  readonly conversation: Conversation;
  /** For what belongs to no request: number 0. */
  standing(): ResumableStream;
  /** POSTs whose stream can be taken up again. */
  readonly posts: Map<number, Post>;
  /** When it was last heard of, in milliseconds. */
  seen: number;
  /** Whether the client waits for something now. */
  isBusy(): boolean;
  isEnded(): boolean;
  openStream(): ResumableStream;
  /** The connection becomes its standing stream, instead of another one that was. */
  listen(response: ServerResponse, after: number | null): void;
  end(reason: string): void;
}

export interface LegacySessionOptions {
  readonly clientId: string;
  readonly principal: string;
  readonly endpoint: Endpoint;
  readonly streams: EventStreams;
  readonly log: Log;
}

export function createLegacySession(options: LegacySessionOptions): LegacySession {
  const { endpoint, streams, log } = options;
  const posts = new Map<number, Post>();
  let standing: ResumableStream | null = null;
  let opened = 0;
  let ended = false;

  const client = createLateClient(options.clientId, options.principal, (method, params) =>
    session.standing().send(messageText(method, params)),
  );
  const conversation = createConversation({ endpoint, client, log });
  const createStream = (number: number) =>
    createResumableStream({ number, primed: client.protocolVersion >= PRIMED_SINCE });

  const session: LegacySession = {
    id: randomUUID(),
    endpoint,
    client,
    conversation,
    posts,
    seen: Date.now(),
    standing: () => {
      standing ??= createStream(0);
      return standing;
    },
    isBusy: () => conversation.open() > 0 || Boolean(standing?.carrier()),
    isEnded: () => ended,
    openStream: () => {
      opened += 1;
      return createStream(opened);
    },
    listen: (response, after) => {
      const carrier = streams.open(response, { 'mcp-session-id': session.id });
      response.once('close', () => {
        session.standing().detach(carrier);
        session.seen = Date.now();
      });
      session.standing().attach(carrier, after);
    },
    end: (reason) => {
      ended = true;
      conversation.end(reason);
      standing?.carrier()?.end();
      // Behind the answers, which are written as they settle.
      setImmediate(() => {
        for (const post of [...posts.values()]) post.forget();
      });
    },
  };
  return session;
}
