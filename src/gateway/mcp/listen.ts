/** `subscriptions/listen`: a modern client's standing request, over when it takes it back. */

import type { Log } from '../../../actors/context.ts';
import { SUBSCRIPTION_KEY } from '../../../actors/mcp/meta.ts';
import { aborted } from '../../aborted.ts';
import type { ListKind } from '../contracts.ts';
import { type Audience, speakOn } from './audience.ts';
import type { Client, ClientRequest } from './contracts.ts';
import { shapeResult } from './eras/shape.ts';
import type { Face } from './parts.ts';
import { RPC, RpcError } from './rpc-error.ts';

/** Milliseconds that it waits for servers before it is acknowledged: one that starts meanwhile is believed to agree. */
const ACKNOWLEDGE = 5000;
/** Resources that one client may follow at once: each new one is held against all others. */
export const MOST_FOLLOWED = 1000;
const KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources'];

/** Rejects when the resource is nobody's, or its server refuses. */
export type Follow = (uri: unknown, client: Client, tell: (params: object) => void) => Promise<() => void>;

export interface ListenParts {
  readonly face: Face;
  readonly audience: Audience;
  readonly follow: Follow;
  /** The gateway ends it. */
  readonly closing: AbortSignal;
  readonly log: Log;
}

export async function listen(
  request: ClientRequest,
  { face, audience, follow, closing, log }: ListenParts,
): Promise<unknown> {
  const { notifications } = (request.params ?? {}) as { readonly notifications?: unknown };
  if (typeof notifications !== 'object' || notifications === null) {
    throw new RpcError(RPC.invalidParams, "'notifications' must say what is wanted.");
  }
  const wanted = notifications as Readonly<Record<string, unknown>>;
  const asked = Array.isArray(wanted.resourceSubscriptions) ? wanted.resourceSubscriptions : [];
  const uris = [...new Set(asked.filter((uri): uri is string => typeof uri === 'string'))].slice(0, MOST_FOLLOWED);
  const tell = speakOn(request);
  // Nothing may come before the acknowledgement.
  let early: (() => void)[] | null = [];
  const ended: (() => void)[] = [];
  let over = false;
  const refused = new Set<string>();
  const followAll = uris.map((uri) =>
    follow(uri, request.client, (params) => {
      const say = () => tell('notifications/resources/updated', params as Readonly<Record<string, unknown>>);
      if (early === null) say();
      else early.push(say);
    }).then(
      (end) => (over ? end() : ended.push(end)),
      (error: unknown) => {
        refused.add(uri);
        log.debug({ uri, err: error }, 'a resource could not be followed');
      },
    ),
  );
  if (uris.length > 0) await Promise.race([Promise.all(followAll), pause(ACKNOWLEDGE)]);
  const kinds = KINDS.filter((kind) => wanted[`${kind}ListChanged`] === true && face.has(kind));
  const honoured = uris.filter((uri) => !refused.has(uri));
  const accepted = {
    ...Object.fromEntries(kinds.map((kind) => [`${kind}ListChanged`, true])),
    ...(honoured.length === 0 ? {} : { resourceSubscriptions: honoured }),
  };
  try {
    if (!request.signal.aborted) {
      tell('notifications/subscriptions/acknowledged', { notifications: accepted });
      const waiting = early;
      early = null;
      for (const say of waiting) say();
      ended.push(audience.subscribe({ kinds: new Set(kinds), tell }));
      await aborted(AbortSignal.any([request.signal, closing]));
    }
  } finally {
    over = true;
    for (const end of ended) end();
  }
  return shapeResult(request.method, { _meta: { [SUBSCRIPTION_KEY]: request.id } }, null, request.client.era);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
