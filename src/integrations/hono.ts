/** `mcp-supervisor/hono`: the gateway as a handler of Hono 4 on Node (`@hono/node-server`; peers). */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { createGateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/options.ts';
import type { Supervisor } from '../options.ts';

export interface HonoGateway {
  (context: Context): Response;
  /** Ends its sessions and streams; the supervisor is yours to close. */
  readonly close: () => Promise<void>;
}

/**
 * `app.all('/tools/*', honoGateway(supervisor, { basePath: '/tools' }))`: REST and MCP below that path, with the gateway's own
 * checks of Host, Origin and token.
 */
export function honoGateway(supervisor: Supervisor, options?: GatewayOptions): HonoGateway {
  const gateway = createGateway(supervisor, options);
  const handle = (context: Context) => {
    const { incoming, outgoing } = context.env as { incoming?: IncomingMessage; outgoing?: ServerResponse };
    if (incoming === undefined || outgoing === undefined) {
      throw new TypeError('honoGateway needs @hono/node-server: there is no Node request behind this one.');
    }
    gateway.handle(incoming, outgoing);
    return RESPONSE_ALREADY_SENT;
  };
  return Object.assign(handle, { close: () => gateway.close() });
}
