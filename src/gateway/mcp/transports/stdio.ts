import type { Readable, Writable } from 'node:stream';
import type { Log } from '../../../../actors/context.ts';
import { isFields } from '../../../../actors/fields.ts';
import { createLineReader, type OversizedLine } from '../../../../actors/mcp/framing.ts';
import { idOfOversized } from '../../../../actors/mcp/json-rpc.ts';
import type { Client, Endpoint } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { MODERN_VERSIONS } from '../versions.ts';
import { createClientIds } from './client-ids.ts';
import { agree, createConversation, createLateClient, introduce } from './conversation.ts';
import { drop } from './drop.ts';
import { checkRevision, hasEnvelope, readEnvelope } from './envelope.ts';
import { createLineWriter } from './line-writer.ts';
import { type Answer, answerText, errorAnswer, messageText, type RequestMessage, readIncoming } from './messages.ts';
import type { Outlet, Running } from './running.ts';

export interface StdioOptions {
  readonly endpoint: Endpoint;
  readonly input: Readable;
  /** Carries JSON-RPC and nothing else. */
  readonly output: Writable;
  readonly log: Log;
  /** Ends at once: what is open is answered with an error. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes of one message (default 16 MiB, as on the other faces). */
  readonly maxMessage?: number | undefined;
  /** Bytes that the client may leave unread before nothing more is read from it (default 4 MiB). */
  readonly maxUnread?: number | undefined;
  /** Milliseconds for which requests go on after the input ended (default 30 s). */
  readonly drain?: number | undefined;
}

/** Milliseconds for which a client that doesn't read may hold up an end that was ordered. */
const LAST_WORDS = 1000;

/**
 * Serves one client over a pipe, a message per line, in whichever era it speaks: each message says so itself, so a client
 * may ask `server/discover` first and `initialize` afterwards. Who starts without `initialize` is served as if it had declared
 * nothing. Resolves when the input has ended and what was open is answered, when the output broke, or by `signal`; never
 * rejects.
 */
export function serveStdio(options: StdioOptions): Promise<void> {
  const { endpoint, input, output, log, signal } = options;
  const { maxMessage = 16 * 1024 * 1024, maxUnread = 4 * 1024 * 1024, drain = 30_000 } = options;
  return new Promise((resolve) => {
    const open: Running[] = [];
    let ended = false;
    let over = false;

    const writer = createLineWriter(output, {
      maxUnread,
      onPressure: (behind) => void (behind ? input.pause() : input.resume()),
      onBroken: () => finish('The client is gone.', 0),
    });
    const notify: Client['notify'] = (method, params) => writer.may(messageText(method, params));
    const client = createLateClient(createClientIds()(), 'stdio', notify);
    const conversation = createConversation({ endpoint, client, log });
    const outlet: Outlet = {
      reachable: () => true,
      tell: (text, must) => (must ? writer.must(text) : writer.may(text)),
    };

    /** Ends everything, and at last the promise. */
    function finish(reason: string, patience: number): void {
      if (over) return;
      over = true;
      input.off('data', read);
      signal?.removeEventListener('abort', abort);
      const last = open.map((running) => running.answer);
      conversation.end(reason);
      const done = () => {
        clearTimeout(timer);
        input.pause();
        resolve();
      };
      const timer = setTimeout(done, patience);
      // Behind the answers, which are written as they settle.
      void Promise.all(last).then(() => setImmediate(() => void writer.flushed().then(done)));
    }
    const abort = () => finish('The gateway is shutting down.', LAST_WORDS);
    const onEnd = () => {
      if (ended || over) return;
      ended = true;
      // These end only when they are told to.
      for (const running of [...open])
        if (running.method === 'subscriptions/listen') running.end('The input has ended.');
      const timer = setTimeout(() => finish('The input has ended.', LAST_WORDS), drain);
      void Promise.all(open.map((running) => running.answer)).then(() => {
        clearTimeout(timer);
        finish('The input has ended.', drain);
      });
    };

    const asker = ({ method, params }: RequestMessage): Client => {
      const greets = method === 'initialize' && isFields(params) && typeof params.protocolVersion === 'string';
      if (greets) return client;
      if (hasEnvelope(params)) {
        const envelope = readEnvelope(params);
        checkRevision(envelope, method);
        const { version: protocolVersion, info, capabilities } = envelope;
        return { ...client, era: 'modern', protocolVersion, info, capabilities };
      }
      if (method !== 'server/discover') return client;
      return { ...client, era: 'modern', protocolVersion: MODERN_VERSIONS[0]!, info: {}, capabilities: {} };
    };
    const answer = async (message: RequestMessage): Promise<Answer | null> => {
      let as: Client;
      try {
        as = asker(message);
      } catch (thrown) {
        return errorAnswer(message.id, thrown as RpcError);
      }
      const greets = message.method === 'initialize';
      if (greets) introduce(client, message.params);
      const running = conversation.request(message, outlet, as);
      open.push(running);
      const answered = await running.answer;
      drop(open, running);
      if (greets && answered !== null) agree(client, answered);
      return answered;
    };
    const take = async (value: unknown): Promise<Answer | null> => {
      const incoming = readIncoming(value);
      switch (incoming.kind) {
        case 'request':
          return answer(incoming.message);
        case 'notification':
          conversation.hear(incoming.message);
          return null;
        case 'response':
          conversation.answered(incoming.message);
          return null;
        default:
          log.debug({ client: client.id }, 'A client wrote what is no JSON-RPC message');
          if (incoming.id === null) return null;
          return errorAnswer(incoming.id, new RpcError(RPC.invalidRequest, 'Invalid Request'));
      }
    };
    const takeLine = async (line: string) => {
      let value: unknown;
      try {
        value = JSON.parse(line.charCodeAt(0) === 0xfeff ? line.slice(1) : line);
      } catch {
        return complain(
          { head: line.slice(0, 1024), tail: line.slice(-512), bytes: line.length },
          new RpcError(RPC.parseError, 'Parse error: the line is not JSON.'),
        );
      }
      if (!Array.isArray(value)) {
        const answered = await take(value);
        return answered === null ? undefined : writer.must(answerText(answered));
      }
      const answers = (await Promise.all(value.map(take))).filter((one) => one !== null);
      if (answers.length > 0) writer.must(answerText(answers));
    };
    /** A line that can't be read is answered if it says whom. */
    const complain = (line: OversizedLine, error: RpcError) => {
      log.warn({ client: client.id, bytes: line.bytes, code: error.code }, 'A line of a client could not be read');
      const id = idOfOversized(line);
      if (id === null) return;
      if (line.head.includes('"method"') || line.tail.includes('"method"')) {
        return writer.must(answerText(errorAnswer(id, error)));
      }
      conversation.answered({ id, error });
    };
    const readChunk = createLineReader(maxMessage, {
      line: (line) => {
        if (over) return;
        // A line that breaks something here is no reason to end what serves others too.
        takeLine(line).catch((thrown: unknown) => log.error({ err: thrown }, 'A line of a client broke something'));
      },
      oversized: (line) => complain(line, new RpcError(RPC.invalidRequest, `A message may have ${maxMessage} bytes.`)),
    });
    const read = (chunk: Buffer | string) => readChunk(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);

    input.on('data', read);
    input.once('end', onEnd);
    input.once('close', onEnd);
    input.on('error', onEnd);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
  });
}
