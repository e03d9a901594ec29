/** What a bridge must know of the messages that it carries, to go on with another daemon as if nothing had happened. */

import { isFields } from '../../../actors/fields.ts';

type Message = {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
};

export interface BridgeMemory {
  /** A line of the client. */
  sent(line: string): void;
  /** A line of the daemon; false when it answers what only `replay` asked. */
  received(line: string): boolean;
  /** The daemon is gone: the answers of what was open, which nobody else gives any more. */
  lost(): readonly string[];
  /** What makes another daemon know this session. Empty for a client that has none. */
  replay(): readonly string[];
  /** What the client must hear of another daemon: its lists may be others. */
  news(): readonly string[];
}

/** Ids of our own, which no client takes. */
const OWN = 'mcp-supervisor:again:';

export function createBridgeMemory(): BridgeMemory {
  const open = new Map<string, unknown>();
  let hello: Message | null = null;
  /** It was told whom it talks to. */
  let isGreeted = true;
  let isInitialized = false;
  let level: Message | null = null;
  const subscribed = new Map<string, Message>();
  let asked = 0;
  let isAnother = false;
  /** Kinds of lists that its greeting named. */
  let lists: readonly string[] = [];

  return {
    sent(line) {
      const message = parse(line);
      if (message === null) return;
      const { id, method } = message;
      if (typeof method !== 'string') return;
      if (id !== undefined) open.set(JSON.stringify(id), id);
      if (method === 'initialize') hello = message;
      else if (method === 'notifications/initialized') isInitialized = true;
      else if (method === 'logging/setLevel') level = message;
      else if (method === 'resources/subscribe') subscribed.set(uriOf(message), message);
      else if (method === 'resources/unsubscribe') subscribed.delete(uriOf(message));
    },
    received(line) {
      // Cheap for what is large: an answer's id stands before its result or behind it, and no method is there.
      const message = parse(line);
      if (message === null || message.id === undefined || message.method !== undefined) return true;
      open.delete(JSON.stringify(message.id));
      if (hello !== null && message.id === hello.id) lists = listsOf(message.result);
      return !(typeof message.id === 'string' && message.id.startsWith(OWN));
    },
    lost() {
      isAnother = true;
      // Nothing is lost with it: the next daemon answers it.
      if (hello !== null && open.has(JSON.stringify(hello.id))) isGreeted = false;
      const answers = [...open.values()]
        .filter((id) => isGreeted || id !== hello?.id)
        .map((id) =>
          JSON.stringify({
            jsonrpc: '2.0',
            id,
            error: {
              code: -32603,
              message: 'The daemon ended before it answered; whether the call had an effect is not known.',
              data: { code: 'INTERNAL_CLOSED', fate: 'sent-unknown', hint: 'Ask again.' },
            },
          }),
        );
      open.clear();
      return answers;
    },
    replay() {
      if (!isAnother || hello === null) return [];
      if (!isGreeted) {
        open.set(JSON.stringify(hello.id), hello.id);
        isGreeted = true;
        return [JSON.stringify(hello)];
      }
      const again = [hello, ...(level === null ? [] : [level]), ...subscribed.values()].map((message) => {
        asked += 1;
        return JSON.stringify({ ...message, id: `${OWN}${asked}` });
      });
      const [first = '', ...rest] = again;
      return [first, ...(isInitialized ? ['{"jsonrpc":"2.0","method":"notifications/initialized"}'] : []), ...rest];
    },
    news: () =>
      isAnother && isInitialized
        ? lists.map((kind) => JSON.stringify({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }))
        : [],
  };
}

function listsOf(greeting: unknown): readonly string[] {
  const capabilities = isFields(greeting) ? greeting.capabilities : null;
  return isFields(capabilities) ? ['tools', 'prompts', 'resources'].filter((kind) => capabilities[kind] != null) : [];
}

const uriOf = ({ params }: Message): string => String((params as { uri?: unknown } | undefined)?.uri);

function parse(line: string): Message | null {
  try {
    const message: unknown = JSON.parse(line);
    return isFields(message) ? message : null;
  } catch {
    return null;
  }
}
