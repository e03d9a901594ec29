import type { Transport } from '../../launchers/plan.ts';
import type { Failure } from '../../machines/failure.ts';
import type { JsonRpcId, JsonRpcMessage } from '../context.ts';
import type { Negotiated } from './era.ts';
import type { SessionError } from './session-error.ts';

/** Carries JSON-RPC messages one way of four; knows nothing of what they mean. One per session. */
export interface Wire {
  readonly transport: Transport;
  readonly url: string | null;
  /**
   * Puts one message out; `text` is the message as JSON. Returns why it provably did not leave, or null. What goes wrong
   * later is told to `WireEvents.failed`.
   */
  send(message: OutgoingMessage, text: string): SessionError | null;
  /** Stops waiting for the answer to a request. True when that by itself tells the server (HTTP of the modern era). */
  abandon(id: number): boolean;
  /** Resolves when the server has taken the notifications sent so far (HTTP requests may overtake each other). */
  delivered(): Promise<void>;
  /**
   * Resolves when the stream for messages that nobody asked for is open, or is none; within a time limit. What a server says
   * there before that is lost.
   */
  listening?(): Promise<void>;
  /** The handshake is done: headers, and the stream for messages that nobody asked for. */
  opened(negotiated: Negotiated): void;
  /** Ends the connection politely and at once; no event follows. */
  close(): void;
}

export interface OutgoingMessage extends JsonRpcMessage {
  readonly id?: JsonRpcId;
}

/** What a wire tells its session. */
export interface WireEvents {
  /** `origin`: the request on whose own response stream it came, where the transport tells. */
  message(message: JsonRpcMessage, origin?: JsonRpcId): void;
  /** The request of that id will not be answered. */
  failed(id: JsonRpcId, error: SessionError): void;
  /** True while the request of that id waits for its answer. */
  waits(id: JsonRpcId): boolean;
  /** The connection can carry nothing more. */
  lost(failure: Failure): void;
}
