/**
 * The two checks that keep web pages out: `Host` must be a name of this machine (a page whose own name was rebound to our
 * address still says its own name), and `Origin`, where there is one, must be ours or allowed.
 */

import type { IncomingMessage } from 'node:http';
import { type Caller, isLoopback } from './caller.ts';
import { HttpError } from './http-error.ts';

export type CheckHost = (caller: Caller) => void;

/** Throws HTTP_HOST unless it is addressed as loopback, by the address it was called on, or by an allowed name. */
export function createCheckHost(allowHost: readonly string[]): CheckHost {
  const allowed = new Set(allowHost.map((host) => host.toLowerCase()));
  /** The name that was found good last: callers say the same one all the time. */
  let good: string | null = null;
  return ({ reach, host, localAddress }) => {
    // No web page reaches a Unix socket.
    if (reach === 'socket' || host === good) return;
    const name = nameOf(host);
    if (name !== '' && name === localAddress) return;
    if (name === 'localhost' || isLoopback(name) || allowed.has(name) || allowed.has(host)) {
      good = host;
      return;
    }
    throw new HttpError('HTTP_HOST', 'The Host header names another machine.');
  };
}

/** `[::1]:80` → `::1`, `localhost:80` → `localhost`. */
function nameOf(host: string): string {
  const found = /^(?:\[([0-9a-f:.]+)\]|([^:\s/@]+))(?::\d*)?$/.exec(host);
  return (found?.[1] ?? found?.[2] ?? '').replace(/\.$/, '');
}

/** The allowed foreign origin that asks, to be told so by CORS headers; null for our own and for callers that are no web page. */
export type CheckOrigin = (request: IncomingMessage, caller: Caller) => string | null;

/** Throws HTTP_ORIGIN for pages that are neither ours nor allowed; `*` in `allowOrigin` allows all. */
export function createCheckOrigin(allowOrigin: readonly string[]): CheckOrigin {
  const allowed = new Set(allowOrigin.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  return ({ headers }, { host, secure }) => {
    const origin = headers.origin?.toLowerCase();
    if (origin === undefined) {
      // Browsers send none with <img>, <script> and their like, but say that another site asks.
      const site = headers['sec-fetch-site'];
      if ((site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'navigate')
        throw new HttpError('HTTP_ORIGIN', 'Another site asks.');
      return null;
    }
    if (host !== '' && origin === `${secure ? 'https' : 'http'}://${host}`) return null;
    if (allowed.has(origin) || allowed.has('*')) return headers.origin ?? null;
    throw new HttpError('HTTP_ORIGIN', 'Pages of that origin may not use this gateway.');
  };
}
