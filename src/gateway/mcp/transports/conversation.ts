import type { Log } from '../../../../actors/context.ts';
import { type Fields, isFields } from '../../../../actors/fields.ts';
import type { Client, Endpoint, Era } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { agreedVersion, LEGACY_VERSIONS } from '../versions.ts';
import { drop } from './drop.ts';
import type { Answer, NotificationMessage, RequestMessage, ResponseMessage } from './messages.ts';
import { createQuestions } from './questions.ts';
import { type Outlet, type Running, run } from './running.ts';

/** A client that says who it is after it was made: in `initialize`. */
export interface LateClient extends Client {
  protocolVersion: string;
  info: Fields;
  capabilities: Fields;
}

export interface ConversationOptions {
  readonly endpoint: Endpoint;
  readonly client: Client;
  readonly log: Log;
}

/** All that one client and its endpoint have open with each other, whatever carries it. */
export interface Conversation {
  readonly client: Client;
  /** Never rejects; null when the client took it back. `as`: who asks, where it is another than the client itself. */
  request(message: RequestMessage, outlet: Outlet, as?: Client): Running;
  hear(message: NotificationMessage, as?: Client): void;
  /** The client's answer to a question of ours. */
  answered(message: ResponseMessage): void;
  /** Requests without an answer. */
  open(): number;
  /** Answers everything that is open, once; the endpoint hears that the client left. */
  end(reason: string): void;
}

export function createLateClient(id: string, principal: string, notify: Client['notify']): LateClient {
  const era: Era = 'legacy';
  return { id, era, principal, notify, protocolVersion: LEGACY_VERSIONS[0]!, info: {}, capabilities: {} };
}

/** Takes over what `initialize` says of the client. */
export function introduce(client: LateClient, params: unknown): void {
  const { protocolVersion, clientInfo, capabilities } = isFields(params) ? params : {};
  client.protocolVersion = agreedVersion(protocolVersion);
  if (isFields(clientInfo)) client.info = clientInfo;
  if (isFields(capabilities)) client.capabilities = capabilities;
}

/** The revision of the answer counts, should the endpoint have chosen another one. */
export function agree(client: LateClient, answer: Answer): void {
  const version = isFields(answer.result) ? answer.result.protocolVersion : undefined;
  if (typeof version === 'string') client.protocolVersion = version;
}

/** Who answers when the session is over: the endpoint has heard that its client left, and must not hear of it again. */
const NOBODY: Pick<Endpoint, 'handle'> = {
  handle: () => Promise.reject(new RpcError(RPC.internalError, 'The session is over.')),
};

export function createConversation({ endpoint, client, log }: ConversationOptions): Conversation {
  const questions = createQuestions();
  const running: Running[] = [];
  let over = false;

  const cancel = (params: unknown) => {
    const id = isFields(params) ? params.requestId : undefined;
    // Who uses an id twice at once gets both answers and takes both back; a handshake can't be.
    for (const one of running.filter((one) => one.id === id && one.method !== 'initialize')) one.cancel();
  };

  return {
    client,
    request: (message, outlet, as = client) => {
      const asking = as.era === 'legacy' ? questions : null;
      const started = run(message, { endpoint: over ? NOBODY : endpoint, client: as, outlet, questions: asking, log });
      running.push(started);
      started.answer.then(() => drop(running, started));
      return started;
    },
    hear: ({ method, params }, as = client) => {
      if (over || method === 'notifications/initialized') return;
      if (method === 'notifications/cancelled') return cancel(params);
      try {
        endpoint.hear(as, method, params);
      } catch (thrown) {
        log.error({ err: thrown, method }, 'A notification of a client failed in an unexpected way');
      }
    },
    answered: (message) => {
      if (!questions.answer(message)) log.debug({ client: client.id }, 'A client answered what it was not asked');
    },
    open: () => running.length,
    end: (reason) => {
      if (over) return;
      over = true;
      questions.end(reason);
      for (const one of [...running]) one.end(reason);
      try {
        endpoint.leave(client);
      } catch (thrown) {
        log.error({ err: thrown }, 'A leaving client failed in an unexpected way');
      }
    },
  };
}
