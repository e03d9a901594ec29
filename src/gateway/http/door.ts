/** Everything that is decided about a request before anyone looks at what it asks for. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { supervisorError } from '../../errors.ts';
import type { Principal } from '../contracts.ts';
import type { GatewayOptions, Profile } from '../options.ts';
import { createView, everything, type View } from '../view.ts';
import { type Caller, createIdentifyCaller } from './caller.ts';
import { createCheckHost, createCheckOrigin } from './check-host.ts';
import { checkGatewayOptions } from './check-options.ts';
import { allowPage, answerPreflight, isPreflight } from './cors.ts';
import { HttpError } from './http-error.ts';
import { createRateLimit } from './rate-limit.ts';
import { bearerOf, createTokens } from './tokens.ts';

export interface Door {
  readonly options: GatewayOptions;
  /** Resolves when the tokens are known; rejects with CONFIG_REFERENCE and CONFIG_INVALID. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  /** Somebody without a token can be told from somebody with one. */
  readonly hasTokens: boolean;
  /** Of every token that was ever known, by its digest. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The caller, once Host and Origin are found good; null when that was all it asked (a preflight): it is answered. */
  look(request: IncomingMessage, response: ServerResponse): Caller | null;
  /** Who it is; throws HTTP_UNAUTHORIZED and HTTP_RATE_LIMIT. Only when `ready`. */
  admit(request: IncomingMessage, caller: Caller): Principal;
  /** Whether one who came in as that still could, and would see the same. */
  holds(principal: Principal): boolean;
  /** The part of that name; undefined where there is none. */
  profile(name: string): View | undefined;
}

/**
 * Throws CONFIG_INVALID for a token whose profile there is not. `before`: the door that was there until now; the view of a
 * profile that is what it was stays the same object, and so do the endpoints behind it.
 */
export function createDoor(
  options: GatewayOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
  before?: Door,
): Door {
  checkGatewayOptions(options);
  const { tokens = [], auth = 'off-loopback', profiles = {} } = options;
  const viewOf = (name: string, profile: Profile) =>
    (isDeepStrictEqual(before?.options.profiles?.[name], profile) && before?.profile(name)) ||
    createView(name, profile);
  const views = new Map(Object.entries(profiles).map(([name, profile]) => [name, viewOf(name, profile)]));
  const tokenViews = tokens.map(({ profile }, index) => {
    const view = profile === undefined ? everything : views.get(profile);
    if (view !== undefined) return view;
    const message = `tokens[${index}] names the profile '${profile}', which there is not.`;
    throw supervisorError('CONFIG_INVALID', { message, hint: 'Define it under profiles, or correct the name.' });
  });
  const local: Principal = { id: 'local', view: everything };
  const owner: Principal = { id: 'socket', view: everything };

  const identify = createIdentifyCaller(options.trustedProxy);
  const checkHost = createCheckHost(options.allowHost ?? []);
  const checkOrigin = createCheckOrigin(options.allowOrigin ?? []);
  const takeTurn = createRateLimit(options.rateLimit);
  /** Numbers stay with their tokens: what a principal has open must never become another one's. */
  const numbers = new Map(before?.numbers);
  let principals: readonly Principal[] = [];
  let findToken: ((presented: string) => Principal | null) | null = tokens.length === 0 ? () => null : null;
  const ready = createTokens(tokens, env).then(({ find, digests }) => {
    principals = digests.map((known, index): Principal => {
      const number = numbers.get(known) ?? numbers.size + 1;
      numbers.set(known, number);
      return { id: `token:${number}`, view: tokenViews[index]! };
    });
    findToken = (presented) => principals[find(presented) ?? -1] ?? null;
  });
  // Whoever asks is told; nobody has to.
  ready.catch(() => {});

  function principalOf({ headers }: IncomingMessage, { reach }: Caller): Principal {
    if (reach === 'socket') return owner;
    const bearer = bearerOf(headers.authorization);
    // Some clients always send one; where there is nothing to compare it with, it means nothing.
    if (bearer === null || (tokens.length === 0 && reach === 'loopback' && auth !== 'always')) {
      if (reach === 'loopback' && auth !== 'always') return local;
      throw unauthorized('A token is needed.', '');
    }
    const principal = findToken?.(bearer) ?? null;
    if (principal === null) throw unauthorized('That token is none of this gateway.', ', error="invalid_token"');
    return principal;
  }

  return {
    options,
    ready,
    isReady: () => findToken !== null,
    hasTokens: tokens.length > 0,
    numbers,
    look(request, response) {
      const caller = identify(request);
      checkHost(caller);
      const page = checkOrigin(request, caller);
      if (page !== null) allowPage(response, page);
      if (!isPreflight(request)) return caller;
      answerPreflight(request, response);
      return null;
    },
    admit(request, caller) {
      let principal: Principal | null = null;
      try {
        principal = principalOf(request, caller);
        return principal;
      } finally {
        // Guesses count too, all guessers' together.
        takeTurn(principal?.id ?? 'nobody');
      }
    },
    holds({ id, view }) {
      if (id === owner.id) return true;
      return id === local.id ? auth !== 'always' : principals.some((one) => one.id === id && one.view === view);
    },
    profile: (name) => views.get(name),
  };
}

const unauthorized = (message: string, more: string) =>
  new HttpError('HTTP_UNAUTHORIZED', message, {
    headers: { 'www-authenticate': `Bearer realm="mcp-supervisor"${more}` },
  });
