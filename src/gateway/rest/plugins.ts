/** What is known of plugins, and how their owner runs them. */

import type { PluginStatus, Supervisor } from '../../options.ts';
import { printable } from '../../printable.ts';
import type { Catalogs, HttpExchange, KnownCatalog } from '../contracts.ts';
import { statusFor } from '../hint.ts';
import { HttpError } from '../http/http-error.ts';
import { replyJson } from '../http/reply.ts';
import type { Answer } from '../http/routes.ts';
import { durationOf } from './duration.ts';
import { requireOwner, requirePlugin } from './require.ts';
import { signalOf } from './while-connected.ts';

export const listPlugins =
  (supervisor: Supervisor): Answer =>
  ({ response, principal: { view } }) =>
    replyJson(response, 200, {
      plugins: supervisor
        .status()
        .filter(({ name }) => view.hasPlugin(name))
        .map(statusFor),
    });

export const showPlugin =
  (supervisor: Supervisor): Answer =>
  (exchange) =>
    replyJson(exchange.response, 200, statusFor(supervisor.status(requirePlugin(supervisor, exchange))));

export const listTools =
  (supervisor: Supervisor, catalogs: Catalogs): Answer =>
  async (exchange) => {
    const name = requirePlugin(supervisor, exchange);
    const { tools } = await learnedOrKnown(supervisor, catalogs, name, exchange);
    replyJson(exchange.response, 200, { tools });
  };

/** What the caller may see of the lists last known; `?refresh=true`, or none known, asks the plugin, which starts it. */
export async function learnedOrKnown(
  supervisor: Supervisor,
  catalogs: Catalogs,
  name: string,
  { query, response, principal: { view } }: HttpExchange,
): Promise<KnownCatalog> {
  // Throws for a plugin that is not there.
  supervisor.status(name);
  const known = isTrue(query.get('refresh')) ? null : catalogs.get(name);
  const catalog = known ?? (await catalogs.learn(name, { signal: signalOf(response) }));
  return { ...catalog, tools: catalog.tools.filter((tool) => view.hasTool(name, tool.name)) };
}

/** The last lines that it printed, oldest first; `?tail=20`. */
export const showLogs =
  (supervisor: Supervisor): Answer =>
  (exchange) => {
    const lines = supervisor.logs(requirePlugin(supervisor, exchange)).slice(-countOf(exchange, 'tail'));
    replyJson(exchange.response, 200, { lines: lines.map((line) => ({ ...line, text: printable(line.text) })) });
  };

export const showHistory =
  (supervisor: Supervisor): Answer =>
  (exchange) =>
    replyJson(exchange.response, 200, { history: supervisor.history(requirePlugin(supervisor, exchange)) });

/** start, stop, restart, reset: answered with the status when it is done. Who hangs up stops waiting, not the plugin. */
export const runPlugin =
  (supervisor: Supervisor, command: 'start' | 'stop' | 'restart' | 'reset'): Answer =>
  async (exchange) => {
    const name = requirePlugin(supervisor, exchange);
    requireOwner(exchange);
    const { query, response } = exchange;
    const startTimeout = durationOf(query, 'timeout') ?? durationOf(query, 'startTimeout');
    let status: PluginStatus | undefined;
    if (command === 'start' || command === 'restart') {
      const waiting = { signal: signalOf(response), ...(startTimeout === null ? {} : { startTimeout }) };
      status = await supervisor[command](name, waiting);
    } else await supervisor[command](name);
    replyJson(response, 200, statusFor(status ?? supervisor.status(name)));
  };

export const isTrue = (value: string | null): boolean => value !== null && !/^(0|false|no|off)$/i.test(value);

/** A whole number from the query; everything without one. */
function countOf({ query }: HttpExchange, name: string): number {
  const text = query.get(name);
  if (text === null) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new HttpError('HTTP_BAD_REQUEST', `${name} must be a whole number.`);
}
