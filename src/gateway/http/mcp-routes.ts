/** The MCP addresses: all plugins, a profile's part, one plugin. */

import { supervisorError } from '../../errors.ts';
import type { Endpoints, HttpExchange, McpHttpFace } from '../contracts.ts';
import type { Endpoint } from '../mcp/contracts.ts';
import type { View } from '../view.ts';
import { HttpError } from './http-error.ts';
import type { Methods } from './routes.ts';

export interface McpRouteParts {
  readonly endpoints: Endpoints;
  readonly streamable: McpHttpFace;
  /** Null: not served. */
  readonly sse: McpHttpFace | null;
  readonly profile: (name: string) => View | undefined;
}

export function mcpRoutes({ endpoints, streamable, sse, profile }: McpRouteParts): Readonly<Record<string, Methods>> {
  const all = ({ principal }: HttpExchange) => endpoints.all(principal.view);

  const ofProfile = ({ path, principal: { view } }: HttpExchange) => {
    const name = path[1] ?? '';
    const chosen = profile(name);
    // A token that opens one profile learns nothing of others.
    if (chosen !== undefined && (view.profile === null || view === chosen)) return endpoints.all(chosen);
    throw new HttpError('HTTP_NOT_FOUND', `There is no profile '${name}'.`);
  };

  const ofPlugin = ({ path, principal }: HttpExchange) => {
    const name = path[1] ?? '';
    const endpoint = endpoints.plugin(name, principal.view);
    if (endpoint !== undefined) return endpoint;
    throw supervisorError('CONFIG_UNKNOWN_PLUGIN', { message: `There is no plugin '${name}'.`, hint: LOOK }, name);
  };

  const routes: Record<string, Methods> = {};
  const serve = (word: string, face: McpHttpFace) => {
    for (const [before, find] of [
      ['/', all],
      ['/profiles/:name/', ofProfile],
      ['/plugins/:name/', ofPlugin],
    ] as const) {
      const answer = (exchange: HttpExchange) => face.handle(exchange, find(exchange) satisfies Endpoint);
      routes[before + word] = { GET: answer, POST: answer, DELETE: answer };
    }
  };
  serve('mcp', streamable);
  if (sse !== null) serve('sse', sse);
  return routes;
}

const LOOK = 'GET /plugins lists those that there are.';
