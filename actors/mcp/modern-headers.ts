/** Headers that mirror the body of a modern request (MCP 2026-07-28, Streamable HTTP, "Request metadata"). */

import type { JsonRpcMessage, ToolDescription } from '../context.ts';
import { TOKEN } from './parameter-headers.ts';

/** Where `Mcp-Name` comes from, per method. */
const NAME_FIELD: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

interface CallParams {
  readonly name?: unknown;
  readonly uri?: unknown;
  readonly arguments?: unknown;
}

export function modernHeaders(
  message: JsonRpcMessage,
  version: string,
  tool: (name: string) => ToolDescription | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'mcp-protocol-version': version };
  if (message.method === undefined) return headers;
  headers['mcp-method'] = message.method;
  const params = (message.params ?? {}) as CallParams;
  const field = NAME_FIELD[message.method];
  const name = field === undefined ? undefined : params[field];
  if (typeof name === 'string') headers['mcp-name'] = headerValue(name);
  if (message.method === 'tools/call' && typeof name === 'string') {
    const schema = tool(name)?.inputSchema;
    if (schema !== undefined) mirrorArguments(schema, params.arguments, headers);
  }
  return headers;
}

/** `x-mcp-header` marks a primitive argument, reachable through `properties` alone, that goes out as a header too. */
function mirrorArguments(schema: unknown, value: unknown, headers: Record<string, string>): void {
  const { properties } = schema as { properties?: Readonly<Record<string, unknown>> };
  if (typeof properties !== 'object' || properties === null || typeof value !== 'object' || value === null) return;
  for (const [key, property] of Object.entries(properties)) {
    const given = (value as Readonly<Record<string, unknown>>)[key];
    const name = (property as { 'x-mcp-header'?: unknown } | null)?.['x-mcp-header'];
    if (typeof name === 'string' && TOKEN.test(name)) {
      if (['string', 'number', 'boolean'].includes(typeof given)) {
        headers[`mcp-param-${name.toLowerCase()}`] = headerValue(String(given));
      }
    } else if (typeof property === 'object' && property !== null) mirrorArguments(property, given, headers);
  }
}

const PLAIN = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const ENCODED = /^=\?base64\?.*\?=$/;

/** What no header may carry as it is goes out as base64 in the spec's sentinel. */
const headerValue = (value: string): string =>
  (PLAIN.test(value) && !ENCODED.test(value)) || value === ''
    ? value
    : `=?base64?${Buffer.from(value).toString('base64')}?=`;
