/** Headers that mirror the body of a modern request (MCP 2026-07-28, Streamable HTTP, "Server Validation"). */

import type { IncomingHttpHeaders } from 'node:http';
import type { ToolDescription } from '../../../../actors/context.ts';
import { isFields } from '../../../../actors/fields.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import type { RequestMessage } from './messages.ts';

/** Where `Mcp-Name` comes from, per method. */
const NAME_FIELD: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** Throws RpcError -32020 where the headers and the body disagree. */
export function checkMirrors(headers: IncomingHttpHeaders, { method, params }: RequestMessage): void {
  if (headers['mcp-protocol-version'] === undefined) throw headerMismatch('MCP-Protocol-Version is missing');
  const named = headers['mcp-method'] as string | undefined;
  if (named === undefined) throw headerMismatch('Mcp-Method is missing');
  if (named !== method)
    throw headerMismatch(`Mcp-Method header value ${quote(named)} does not match body value '${method}'`);
  const field = NAME_FIELD.get(method);
  if (field === undefined) return;
  const expected = isFields(params) ? params[field] : undefined;
  const header = headers['mcp-name'] as string | undefined;
  if (header === undefined) {
    if (typeof expected === 'string') throw headerMismatch('Mcp-Name is missing');
    return;
  }
  const given = decode(header);
  if (given === null) throw headerMismatch('Mcp-Name is no valid Base64');
  if (typeof expected === 'string' && given !== expected) {
    throw headerMismatch(`Mcp-Name header value ${quote(header)} does not match body value ${quote(expected)}`);
  }
}

/** Throws RpcError -32020 where `Mcp-Param-…` headers and the arguments of a tool disagree. */
export function checkParamMirrors(headers: IncomingHttpHeaders, tool: ToolDescription, params: unknown): void {
  const mirrors = mirrorsOf(tool);
  if (mirrors.length === 0) return;
  const given = isFields(params) ? params.arguments : undefined;
  for (const { header, path, numeric } of mirrors) {
    const value = path.reduce<unknown>((node, key) => (isFields(node) ? node[key] : undefined), given);
    const raw = headers[header.toLowerCase()] as string | undefined;
    const decoded = raw === undefined ? undefined : decode(raw);
    if (decoded === null) throw headerMismatch(`${header} is no valid Base64`);
    if (value === undefined || value === null || typeof value === 'object') continue;
    if (decoded === undefined) throw headerMismatch(`${header} is missing`);
    const same = decoded === String(value) || (numeric && DECIMAL.test(decoded) && Number(decoded) === value);
    if (!same) throw headerMismatch(`${header} does not match the argument '${path.join('.')}'`);
  }
}

interface Mirror {
  readonly header: string;
  readonly path: readonly string[];
  readonly numeric: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** Only along `properties`: anywhere else the mark is invalid, and clients don't follow it. */
function mirrorsOf(tool: ToolDescription): readonly Mirror[] {
  const found: Mirror[] = [];
  const visit = (schema: unknown, path: readonly string[]) => {
    const properties = isFields(schema) ? schema.properties : undefined;
    if (!isFields(properties)) return;
    for (const [key, property] of Object.entries(properties)) {
      if (!isFields(property)) continue;
      const name = property['x-mcp-header'];
      const here = [...path, key];
      if (typeof name === 'string' && TOKEN.test(name)) {
        const numeric = property.type === 'integer' || property.type === 'number';
        found.push({ header: `Mcp-Param-${name}`, path: here, numeric });
      } else visit(property, here);
    }
  };
  visit(tool.inputSchema, []);
  return found;
}

const SENTINEL = /^=\?base64\?(.*)\?=$/;
const CANONICAL = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Null for a Base64 value that is none, or no UTF-8. */
function decode(value: string): string | null {
  if (!value.startsWith('=?base64?')) return value;
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!CANONICAL.test(encoded)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return null;
  }
}

const quote = (value: string) => `'${value.slice(0, 100)}'`;

export const headerMismatch = (what: string) => new RpcError(RPC.headerMismatch, `Header mismatch: ${what}.`);
