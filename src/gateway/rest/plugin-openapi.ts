/**
 * A plugin as an OpenAPI 3.1 tool server: one POST operation per tool. Schemas stand under `components`, because `#` in an
 * OpenAPI document is the document and not the schema that it stands in.
 */

import type { ToolDescription } from '../../../actors/context.ts';
import { isFields } from '../../../actors/fields.ts';
import { SERVER_INFO_KEY } from '../../../actors/mcp/meta.ts';
import type { KnownCatalog } from '../contracts.ts';
import { moveSchema } from './move-schema.ts';

type Schema = Readonly<Record<string, unknown>>;

export function pluginOpenapi(name: string, { server, tools }: Pick<KnownCatalog, 'server' | 'tools'>): Schema {
  const info = infoOf(server);
  const schemas: Record<string, unknown> = { Error: ERROR };
  const paths: Record<string, unknown> = {};
  for (const tool of tools) {
    const key = freeKey(schemas, tool.name);
    schemas[`${key}.input`] = moveSchema(asSchema(tool.inputSchema), `${POINTER}${key}.input`);
    const output = isFields(tool.outputSchema) ? `${key}.output` : null;
    if (output !== null) schemas[output] = moveSchema(tool.outputSchema as Schema, POINTER + output);
    paths[`/tools/${encodeURIComponent(tool.name)}`] = { post: operation(tool, key, output) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: typeof info.title === 'string' ? info.title : name,
      ...(typeof server?.instructions === 'string' && { description: server.instructions }),
      version: typeof info.version === 'string' ? info.version : '0',
    },
    // Relative to this document: right under any name and behind any prefix.
    servers: [{ url: `../${encodeURIComponent(name)}` }],
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    // Without a token where none is asked for.
    security: [{}, { token: [] }],
  };
}

const POINTER = '#/components/schemas/';

function operation(tool: ToolDescription, key: string, output: string | null): Schema {
  const { annotations = {}, title = annotations.title, description } = tool;
  const { required } = asSchema(tool.inputSchema);
  return {
    operationId: tool.name,
    summary: typeof title === 'string' ? title : tool.name,
    ...(typeof description === 'string' && { description }),
    requestBody: {
      required: Array.isArray(required) && required.length > 0,
      content: { 'application/json': { schema: { $ref: `${POINTER}${key}.input` } } },
    },
    responses: {
      200: {
        description:
          'What the tool found: its structured content, else its text (as JSON where it is), else its content.',
        content:
          output === null
            ? { 'application/json': { schema: {} }, 'text/plain': { schema: { type: 'string' } } }
            : { 'application/json': { schema: { $ref: POINTER + output } } },
      },
      422: { description: 'The tool says that it failed.', content: errorContent() },
      default: { description: 'It could not be called.', content: errorContent() },
    },
  };
}

const errorContent = () => ({ 'application/json': { schema: { $ref: `${POINTER}Error` } } });

/** Shape of every error of the gateway. */
export const ERROR: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'phase', 'message', 'hint'],
      properties: {
        code: { type: 'string' },
        phase: { type: 'string' },
        message: { type: 'string' },
        hint: { type: 'string', description: 'What to do next.' },
        plugin: { type: ['string', 'null'] },
        fate: { type: 'string', description: 'Whether the call had its effect: not-sent, sent-unknown, answered.' },
        retryAfter: { type: 'integer', description: 'Seconds.' },
        stderrTail: { type: 'array', items: { type: 'string' } },
      },
    },
  },
};

/** Keys of components are of these characters alone; two names that become one are told apart by a number. */
function freeKey(schemas: Readonly<Record<string, unknown>>, name: string): string {
  const key = name.replace(/[^\w.-]/g, '_');
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? key : `${key}_${number}`;
    if (!Object.hasOwn(schemas, `${free}.input`)) return free;
  }
}

/** Legacy `initialize` has it at its top, a modern `server/discover` below `_meta`. */
function infoOf(server: Schema | null): Schema {
  const meta = isFields(server?._meta) ? server._meta : {};
  const info = server?.serverInfo ?? meta[SERVER_INFO_KEY];
  return isFields(info) ? info : {};
}

const asSchema = (value: unknown): Schema => (isFields(value) ? value : { type: 'object' });
