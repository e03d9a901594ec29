/** `mcp-supervisor/express`: the gateway as a handler of Express (4 or 5), or of anything with (request, response). */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/options.ts';
import type { Supervisor } from '../options.ts';

export interface GatewayHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Ends its sessions and streams; the supervisor is yours to close. */
  readonly close: () => Promise<void>;
}

/**
 * `app.use('/mcp-supervisor', expressGateway(supervisor))`: REST and MCP below that path, with the gateway's own checks of
 * Host, Origin and token. Mount it before body parsers.
 */
export function expressGateway(supervisor: Supervisor, options?: GatewayOptions): GatewayHandler {
  const gateway = createGateway(supervisor, options);
  return Object.assign((request: IncomingMessage, response: ServerResponse) => gateway.handle(request, response), {
    close: () => gateway.close(),
  });
}
