/** The gateway's own OpenAPI 3.1 document: the same for everyone, so that it names no plugin. */

import { ERROR } from './plugin-openapi.ts';

type Json = Readonly<Record<string, unknown>>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json): Json => ({ 'application/json': { schema } });
const ok = (description: string, schema: Json = {}): Json => ({ 200: { description, content: json(schema) } });
const query = (name: string, description: string, schema: Json = { type: 'string' }): Json => ({
  name,
  in: 'query',
  description,
  schema,
});
const listOf = (key: string, schema: Json): Json => ({
  type: 'object',
  required: [key],
  properties: { [key]: { type: 'array', items: schema } },
});
const failed: Json = { default: { description: 'It failed.', content: json(ref('Error')) } };
const name: Json = { name: 'name', in: 'path', required: true, description: 'Plugin.', schema: { type: 'string' } };
const tool: Json = { name: 'tool', in: 'path', required: true, description: 'Tool.', schema: { type: 'string' } };
const timeouts = [
  query('timeout', 'From sending the call to its answer: `30s`, `500ms`, `2m`.'),
  query('startTimeout', 'How long it may wait for the plugin to be ready.'),
  query('session', 'Any word: calls with the same one reach the same process of a plugin with one for each session.'),
];

const get = (operationId: string, summary: string, responses: Json, parameters: readonly Json[] = []): Json => ({
  get: { operationId, summary, ...(parameters.length > 0 && { parameters }), responses: { ...responses, ...failed } },
});
const post = (
  operationId: string,
  summary: string,
  responses: Json,
  parameters: readonly Json[],
  body?: Json,
): Json => ({
  post: {
    operationId,
    summary,
    parameters,
    ...(body && { requestBody: { required: true, content: json(body) } }),
    responses: { ...responses, ...failed },
  },
});
const command = (verb: string, summary: string): Json =>
  post(`${verb}_plugin`, summary, ok('Its status.', ref('PluginStatus')), [
    name,
    ...(verb === 'start' || verb === 'restart' ? [query('timeout', 'How long to wait for it to be ready.')] : []),
  ]);

export function gatewayOpenapi(version: string): Json {
  const object = { type: 'object' };
  return {
    openapi: '3.1.0',
    info: {
      title: 'mcp-supervisor',
      version,
      description:
        'Every plugin through one door. Each plugin has a document of its own: /plugins/{name}/openapi.json.',
    },
    servers: [{ url: '.' }],
    paths: {
      '/plugins': get(
        'list_plugins',
        'Every plugin and its status',
        ok('Plugins.', listOf('plugins', ref('PluginStatus'))),
      ),
      '/plugins/{name}': {
        ...get('plugin_status', 'One plugin', ok('Its status.', ref('PluginStatus')), [name]),
        ...post('call_plugin', 'Call a plugin', ok('The result, verbatim.'), [name, ...timeouts], ref('Payload')),
      },
      '/plugins/{name}/tools': get(
        'list_tools',
        'Its tools, as it describes them',
        ok('Tools.', listOf('tools', object)),
        [name, query('refresh', 'Ask the plugin instead of telling what is known.', { type: 'boolean' })],
      ),
      '/plugins/{name}/tools/{tool}': post(
        'call_tool',
        'Call one tool with its arguments',
        {
          ...ok('Its structured content, else its text (as JSON where it is), else its content.'),
          422: { description: 'The tool says that it failed.', content: json(ref('Error')) },
        },
        [name, tool, ...timeouts],
        object,
      ),
      '/plugins/{name}/start': command('start', 'Start it, and wait until it is ready'),
      '/plugins/{name}/stop': command('stop', 'Stop it; calls do not start it again'),
      '/plugins/{name}/restart': command('restart', 'Stop and start it'),
      '/plugins/{name}/reset': command('reset', 'Forget its failures; the next call starts it'),
      '/plugins/{name}/logs': get('plugin_logs', 'What it printed last', ok('Lines.', listOf('lines', object)), [
        name,
        query('tail', 'At most so many lines.', { type: 'integer', minimum: 1 }),
      ]),
      '/plugins/{name}/history': get('plugin_history', 'Its last states', ok('States.', listOf('history', object)), [
        name,
      ]),
      '/plugins/{name}/metrics': get('plugin_metrics', 'Its counters (Prometheus)', PLAIN, [name]),
      '/plugins/{name}/openapi.json': get('plugin_openapi', 'Its tools as OpenAPI 3.1', ok('OpenAPI.', object), [name]),
      '/healthz': get('healthz', 'Whether the gateway answers', ok('It does.', object)),
      '/readyz': get(
        'readyz',
        'Whether plugins and tools can be called',
        { ...ok('All can.', ref('Readiness')), 503: { description: 'Some can not.', content: json(ref('Readiness')) } },
        [
          query('plugins', 'Names, separated by commas.'),
          query('tools', 'Tools, separated by commas: `plugin__tool`, or a tool of any plugin.'),
          query('wait', 'Start what sleeps, and wait so long: `10s`.'),
        ],
      ),
      '/metrics': get('metrics', 'Counters (Prometheus)', PLAIN),
      '/events': get(
        'events',
        'What happens to plugins (server-sent events)',
        { 200: { description: 'Events.', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
        [
          query('plugin', 'Only of these, separated by commas.'),
          query('logs', 'Lines of output too.', { type: 'boolean' }),
        ],
      ),
    },
    components: {
      schemas: {
        Error: ERROR,
        Payload: {
          description: '{tool, arguments}, {method, params}, or what a plain HTTP plugin takes.',
          type: 'object',
          properties: {
            tool: { type: 'string' },
            arguments: object,
            method: { type: 'string', description: 'Any MCP method.' },
            params: object,
          },
        },
        PluginStatus: {
          type: 'object',
          required: ['name', 'state', 'since', 'why', 'next'],
          properties: {
            name: { type: 'string' },
            state: { type: 'string' },
            subState: { type: ['string', 'null'] },
            since: { type: 'string', format: 'date-time' },
            why: { type: 'string' },
            next: { type: 'string' },
          },
        },
        Readiness: {
          type: 'object',
          required: ['ready', 'plugins', 'tools'],
          properties: {
            ready: { type: 'boolean' },
            plugins: { type: 'array', items: object },
            tools: { type: 'array', items: object },
          },
        },
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    // Without a token where none is asked for.
    security: [{}, { token: [] }],
  };
}

const PLAIN: Json = { 200: { description: 'Counters.', content: { 'text/plain': { schema: { type: 'string' } } } } };
