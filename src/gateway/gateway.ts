/**
 * Joins catalogs, endpoints, the MCP faces and REST behind one door. The way of a request, and of whoever reads this:
 * `http/front` (from the socket to its route) → `http/door` (Host, Origin, token, rate: who it is, and what it may see) →
 * `http/routes`, and from there either
 * - `rest/`, a file for each group of addresses, straight to the supervisor; or
 * - `mcp/transports/` (JSON-RPC of either era off the wire) → `mcp/endpoint` (what concerns the session) → `mcp/one-plugin` or
 *   `mcp/all-plugins` (whose it is, under which name) → `mcp/eras/relay` (one request to one plugin, translated where the two
 *   speak different revisions) → the supervisor.
 * `catalogs` knows what plugins list without starting any. What the parts are to each other: `contracts.ts`, `mcp/contracts.ts`.
 */

import type { Log } from '../../actors/context.ts';
import { CLIENT_INFO } from '../../actors/mcp/meta.ts';
import type { Supervisor } from '../options.ts';
import { createQuietLog } from '../quiet-log.ts';
import { createCatalogs } from './catalogs.ts';
import type { Gateway } from './contracts.ts';
import { createDoor } from './http/door.ts';
import { toErrorAnswer } from './http/error-answer.ts';
import { createFront } from './http/front.ts';
import { mcpRoutes } from './http/mcp-routes.ts';
import { createRoutes } from './http/routes.ts';
import { createTraffic } from './http/traffic.ts';
import { createEndpoints } from './mcp/endpoints.ts';
import { createRelay } from './mcp/eras/relay.ts';
import { createLegacySse } from './mcp/transports/sse.ts';
import { createStreamableHttp } from './mcp/transports/streamable-http.ts';
import type { GatewayOptions } from './options.ts';
import { createEvents } from './rest/events.ts';
import { restRoutes } from './rest/routes.ts';
import { everything } from './view.ts';

const MAX_BODY = 16 * 1024 * 1024;

/**
 * The HTTP faces of a supervisor: give `handle` to a `node:http` server, or to `serveHttp`. Starts nothing; the supervisor stays
 * its owner's. Throws CONFIG_INVALID for options that don't fit together.
 */
export function createGateway(supervisor: Supervisor, options: GatewayOptions = {}): Gateway {
  const log: Log = createQuietLog(options.logger ?? SILENT);
  let door = createDoor(options);
  let updating: Promise<void> = Promise.resolve();
  let closed = false;
  const catalogs = createCatalogs({ supervisor, log });
  const relay = createRelay({ supervisor, log });
  const endpoints = createEndpoints({ supervisor, catalogs, relay, log, maxToolName: options.maxToolName });
  const streamable = createStreamableHttp({ log });
  const sse = options.legacySse === true ? createLegacySse({ log }) : null;
  const traffic = createTraffic();
  const events = createEvents(supervisor);
  const sessions = () => streamable.sessions() + (sse?.sessions() ?? 0);
  const findRoute = createRoutes({
    ...restRoutes({ supervisor, catalogs, events, traffic, sessions, version: CLIENT_INFO.version }),
    ...mcpRoutes({ endpoints, streamable, sse, profile: (name) => door.profile(name) }),
  });

  const front = createFront({
    door: () => door,
    findRoute,
    basePath: (options.basePath ?? '').replace(/\/+$/, ''),
    maxBody: () => door.options.maxBody ?? MAX_BODY,
    traffic,
    isClosed: () => closed,
    toErrorAnswer: (thrown) =>
      toErrorAnswer(thrown, (plugin) => supervisor.status().find(({ name }) => name === plugin)),
    log,
  });

  return {
    endpoints,
    profile: (name) => door.profile(name),
    ready: () => door.ready,
    hasTokens: () => door.hasTokens,
    handle: front.handle,
    update(next) {
      // One after the other: the last one asked for is the one that stays.
      const done = updating.then(async () => {
        const other = createDoor(next, process.env, door);
        await other.ready;
        door = other;
        front.hangUp(other.holds);
        endpoints.keep((view) => view === everything || other.profile(view.profile ?? '') === view);
      });
      updating = done.catch(() => {});
      return done;
    },
    async close() {
      if (closed) return;
      closed = true;
      streamable.close();
      sse?.close();
      endpoints.close();
      relay.close();
      events.close();
      catalogs.close();
    },
  };
}

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
