/** `POST /plugins/:name` and `POST /plugins/:name/tools/:tool`: the two ways to call a plugin over plain HTTP. */

import { isFields } from '../../../actors/fields.ts';
import { supervisorError, unknownTool } from '../../errors.ts';
import type { CallOptions, Supervisor, ToolResult } from '../../options.ts';
import type { HttpExchange } from '../contracts.ts';
import { replyJson, replyText } from '../http/reply.ts';
import type { Answer } from '../http/routes.ts';
import { asText } from '../mcp/as-text.ts';
import type { View } from '../view.ts';
import { durationOf } from './duration.ts';
import { requirePlugin } from './require.ts';
import { lineSignalOf } from './while-connected.ts';

type Payload = Readonly<Record<string, unknown>>;

/** `call_plugin(name, body)`: the result verbatim, `isError` included. */
export function createCallPlugin(supervisor: Supervisor): Answer {
  return async (exchange) => {
    const name = requirePlugin(supervisor, exchange);
    const payload = await readJson(exchange, name);
    const { view } = exchange.principal;
    if (view.limitsTools) refuseHidden(name, payload, view);
    const result = await supervisor.call(name, payload, callOptions(exchange));
    replyJson(exchange.response, 200, view.limitsTools ? withoutHidden(name, payload, result, view) : result);
  };
}

/** Arguments in; out comes what the tool found, as plain as it can be told. */
export function createCallTool(supervisor: Supervisor): Answer {
  return async (exchange) => {
    const name = requirePlugin(supervisor, exchange);
    const tool = exchange.path[3] ?? '';
    if (!exchange.principal.view.hasTool(name, tool)) throw unknownTool(name, tool);
    const args = await readJson(exchange, name, {});
    const result = await supervisor.call(name, { tool, arguments: args }, callOptions(exchange));
    replyTool(exchange, name, result);
  };
}

/** `?timeout=30s&startTimeout=1m&session=mine`; a session is its principal's own. */
const callOptions = ({ query, response, principal }: HttpExchange): CallOptions => {
  const timeout = durationOf(query, 'timeout');
  const startTimeout = durationOf(query, 'startTimeout');
  const session = query.get('session');
  return {
    signal: lineSignalOf(response),
    ...(timeout === null ? {} : { timeout }),
    ...(startTimeout === null ? {} : { startTimeout }),
    ...(session === null ? {} : { session: `rest/${principal.id}/${session}` }),
  };
};

/** An object; `empty` for a body of nothing. */
async function readJson(exchange: HttpExchange, plugin: string, empty?: Payload): Promise<Payload> {
  const bytes = await exchange.body();
  if (bytes.length === 0 && empty !== undefined) return empty;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    const message = `The body is not JSON: ${(error as Error).message}`;
    throw supervisorError('CALL_NOT_JSON', { message, hint: 'Send a JSON object.' }, plugin);
  }
  if (isFields(value)) return value;
  throw supervisorError('CALL_BAD_ARGUMENTS', { message: 'The body must be a JSON object.' }, plugin);
}

// ---- what a profile hides ----

/** Methods that a plugin of any kind takes from somebody who may not see all of its tools. */
const OPEN_METHODS =
  /^(ping|tools\/list|resources\/(list|read|templates\/list)|prompts\/(list|get)|completion\/complete)$/;

/** A plain HTTP plugin takes any request: from a caller with a choice of tools it gets none but its tools. */
function refuseHidden(plugin: string, payload: Payload, view: View): void {
  const { tool, method, params } = payload;
  const called = typeof tool === 'string' ? tool : method === 'tools/call' ? (params as Payload | null)?.name : null;
  if (called !== null) {
    if (typeof called === 'string' && view.hasTool(plugin, called)) return;
    throw unknownTool(plugin, asText(called));
  }
  if (typeof method === 'string' && OPEN_METHODS.test(method) && payload.path === undefined) return;
  const message = 'This profile takes {tool, arguments} alone.';
  throw supervisorError('CALL_BAD_ARGUMENTS', { message, data: { fate: 'not-sent' } }, plugin);
}

function withoutHidden(plugin: string, { tool, method }: Payload, result: unknown, view: View): unknown {
  const { tools } = (result ?? {}) as { readonly tools?: unknown };
  if (typeof tool === 'string' || method !== 'tools/list' || !Array.isArray(tools)) return result;
  return { ...(result as Payload), tools: tools.filter((one) => view.hasTool(plugin, one?.name)) };
}

// ---- what a tool found ----

function replyTool({ request, response }: HttpExchange, plugin: string, result: ToolResult | Payload) {
  // What a plugin calls a result may be anything.
  const { content, structuredContent, isError }: Partial<ToolResult> = isFields(result) ? result : {};
  const texts = Array.isArray(content)
    ? content.flatMap((part) => (part?.type === 'text' ? [asText(part.text ?? '')] : []))
    : [];
  if (isError === true) {
    const message = texts.join('\n') || 'The tool says that it failed.';
    const hint = 'Correct what its message names.';
    const error = { code: 'CALL_TOOL_ERROR', phase: 'call', message, hint, plugin, stderrTail: [] };
    return replyJson(response, 422, { error, ...result });
  }
  if (structuredContent !== undefined) return replyJson(response, 200, structuredContent);
  // A plain HTTP plugin has answered in its own way.
  if (!Array.isArray(content)) return replyJson(response, 200, result);
  // Pictures, sounds, resources: only as they are.
  if (texts.length < content.length) return replyJson(response, 200, content.length === 1 ? content[0] : content);
  const text = texts.join('\n');
  try {
    return replyJson(response, 200, JSON.parse(text));
  } catch {
    if (wantsJson(request.headers.accept)) return replyJson(response, 200, text);
    return replyText(response, 200, 'text/plain; charset=utf-8', text);
  }
}

/** Whoever names JSON and no text gets a JSON string. */
const wantsJson = (accept = '*/*') => accept.includes('json') && !/\*\/\*|text\//.test(accept);
