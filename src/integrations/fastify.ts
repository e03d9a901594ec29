/** `mcp-supervisor/fastify`: the gateway as a plugin of Fastify 5 (a peer). */

import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { createGateway } from '../gateway/gateway.ts';
import type { GatewayOptions } from '../gateway/options.ts';
import type { Supervisor } from '../options.ts';

export interface FastifyGatewayOptions extends Omit<GatewayOptions, 'basePath'> {
  readonly supervisor: Supervisor;
}

/**
 * `app.register(fastifyGateway, { prefix: '/plugins-of-mine', supervisor })`: REST and MCP below the prefix, with the gateway's
 * own checks of Host, Origin and token. `app.close()` ends its sessions; the supervisor is yours to close.
 */
export const fastifyGateway: FastifyPluginAsync<FastifyGatewayOptions> = async (app, { supervisor, ...options }) => {
  const gateway = createGateway(supervisor, { ...options, basePath: app.prefix });
  // Before `close` waits for connections: standing streams would hold it up.
  app.addHook('preClose', () => gateway.close());
  // The gateway reads bodies itself, whatever their type.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const hand = {
    method: ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'],
    exposeHeadRoute: false,
    handler: (request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      gateway.handle(request.raw, reply.raw);
    },
  };
  app.route({ ...hand, url: '/' });
  app.route({ ...hand, url: '/*' });
};
