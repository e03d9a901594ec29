/** What an allowed foreign page is told, so that its browser lets it in. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers of our answers that such a page may read. */
const EXPOSED = 'Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate, Retry-After, Allow';
const METHODS = 'GET, HEAD, POST, DELETE, OPTIONS';
/** Seconds for which a browser may remember the permission; Chromium's own upper bound. */
const REMEMBER = '7200';

export function allowPage(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', EXPOSED);
  response.setHeader('vary', 'Origin');
}

export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/** Answers the browser's question before the request; it never carries a token. */
export function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', METHODS);
  // MCP clients name headers after their tools' parameters: there is no list of them.
  const wanted = headers['access-control-request-headers'];
  if (wanted !== undefined) response.setHeader('access-control-allow-headers', wanted);
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
  response.setHeader('access-control-max-age', REMEMBER);
  response.statusCode = 204;
  response.end();
}
