/** The REST face: every address that is no MCP one. */

import type { Supervisor } from '../../options.ts';
import type { Catalogs } from '../contracts.ts';
import { replyJson } from '../http/reply.ts';
import type { Methods } from '../http/routes.ts';
import type { Traffic } from '../http/traffic.ts';
import { createCallPlugin, createCallTool } from './calls.ts';
import type { Events } from './events.ts';
import { gatewayOpenapi } from './gateway-openapi.ts';
import { createMetrics } from './metrics.ts';
import { pluginOpenapi } from './plugin-openapi.ts';
import { learnedOrKnown, listPlugins, listTools, runPlugin, showHistory, showLogs, showPlugin } from './plugins.ts';
import { createReadiness } from './readiness.ts';
import { requirePlugin } from './require.ts';

export interface RestParts {
  readonly supervisor: Supervisor;
  readonly catalogs: Catalogs;
  readonly events: Events;
  readonly traffic: Traffic;
  /** Sessions of MCP clients that are open. */
  readonly sessions: () => number;
  readonly version: string;
}

export function restRoutes(parts: RestParts): Readonly<Record<string, Methods>> {
  const { supervisor, catalogs, events, traffic, sessions, version } = parts;
  const metrics = createMetrics(supervisor, traffic, sessions);
  return {
    '/': { GET: ({ response }) => replyJson(response, 200, { name: 'mcp-supervisor', version, addresses: ADDRESSES }) },
    '/plugins': { GET: listPlugins(supervisor) },
    '/plugins/:name': { GET: showPlugin(supervisor), POST: createCallPlugin(supervisor) },
    '/plugins/:name/tools': { GET: listTools(supervisor, catalogs) },
    '/plugins/:name/tools/:tool': { POST: createCallTool(supervisor) },
    '/plugins/:name/start': { POST: runPlugin(supervisor, 'start') },
    '/plugins/:name/stop': { POST: runPlugin(supervisor, 'stop') },
    '/plugins/:name/restart': { POST: runPlugin(supervisor, 'restart') },
    '/plugins/:name/reset': { POST: runPlugin(supervisor, 'reset') },
    '/plugins/:name/logs': { GET: showLogs(supervisor) },
    '/plugins/:name/history': { GET: showHistory(supervisor) },
    '/plugins/:name/metrics': { GET: metrics },
    '/plugins/:name/openapi.json': {
      async GET(exchange) {
        const name = requirePlugin(supervisor, exchange);
        const { server, tools } = await learnedOrKnown(supervisor, catalogs, name, exchange);
        replyJson(exchange.response, 200, pluginOpenapi(name, { server, tools }));
      },
    },
    '/readyz': { GET: createReadiness(supervisor, catalogs) },
    '/metrics': { GET: metrics },
    '/events': { GET: events.answer },
    '/openapi.json': { GET: ({ response }) => replyJson(response, 200, gatewayOpenapi(version)) },
  };
}

const ADDRESSES = {
  'POST /plugins/:name': 'call a plugin: {tool, arguments} or {method, params}',
  'POST /plugins/:name/tools/:tool': 'call one tool with its arguments',
  'GET /plugins': 'every plugin and its status',
  'GET /plugins/:name': 'one of them',
  'POST /plugins/:name/{start,stop,restart,reset}': 'run it',
  'GET /plugins/:name/{tools,logs,history,metrics,openapi.json}': 'what is known of it',
  '/mcp': 'MCP: every plugin, tools as plugin__tool',
  '/plugins/:name/mcp': 'MCP: that plugin alone',
  '/profiles/:name/mcp': 'MCP: a chosen part',
  'GET /healthz': 'whether the gateway answers',
  'GET /readyz?plugins=a&tools=b&wait=10s': 'whether these can be called',
  'GET /metrics': 'Prometheus counters',
  'GET /events': 'server-sent events',
  'GET /openapi.json': 'this, for programs',
};
