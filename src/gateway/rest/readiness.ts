/**
 * `/readyz?plugins=…&tools=…&wait=10s`: whether what is named can be called, and why not. A plugin is ready in `ready` and
 * `idle`; `wait` starts those that sleep, as a call would, and answers as soon as all are ready, or when the time is up.
 */

import { aborted } from '../../aborted.ts';
import { SupervisorError } from '../../errors.ts';
import type { PluginStatus, Supervisor } from '../../options.ts';
import type { Catalogs, HttpExchange } from '../contracts.ts';
import { hintFor } from '../hint.ts';
import { replyJson } from '../http/reply.ts';
import type { Answer } from '../http/routes.ts';
import type { View } from '../view.ts';
import { durationOf } from './duration.ts';
import { signalOf } from './while-connected.ts';

interface PluginReadiness {
  readonly plugin: string;
  readonly ready: boolean;
  readonly state: PluginStatus['state'] | null;
  readonly subState: string | null;
  /** `unknown`, `sleeping`, `starting`, `stopping`, `unhealthy`, or a failure's code; null when ready. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly next: string | null;
  readonly retryAt: string | null;
}
interface ToolReadiness {
  readonly tool: string;
  readonly plugin: string | null;
  readonly ready: boolean;
  /** `unknown`: no plugin is known to have it; else why its plugin isn't ready. */
  readonly reason: string | null;
}
interface Readiness {
  readonly ready: boolean;
  readonly plugins: readonly PluginReadiness[];
  readonly tools: readonly ToolReadiness[];
}

export function createReadiness(supervisor: Supervisor, catalogs: Catalogs): Answer {
  return async (exchange) => {
    const { query, response, principal } = exchange;
    const asked = { plugins: listOf(query, 'plugins'), tools: listOf(query, 'tools'), view: principal.view };
    const refusals = new Map<string, SupervisorError>();
    const wait = durationOf(query, 'wait') ?? 0;
    if (wait > 0) await waitFor(exchange, supervisor, catalogs, asked, wait, refusals);
    const found = readinessOf(supervisor, catalogs, asked, refusals);
    if (!found.ready) response.setHeader('retry-after', '1');
    replyJson(response, found.ready ? 200 : 503, found);
  };
}

interface Asked {
  readonly plugins: readonly string[];
  readonly tools: readonly string[];
  readonly view: View;
}

async function waitFor(
  { response }: HttpExchange,
  supervisor: Supervisor,
  catalogs: Catalogs,
  { plugins, tools, view }: Asked,
  wait: number,
  refusals: Map<string, SupervisorError>,
): Promise<void> {
  const over = new AbortController();
  const gone = signalOf(response);
  gone.addEventListener('abort', () => over.abort(), { once: true });
  const timer = setTimeout(() => over.abort(), wait);
  const { signal } = over;
  const all = supervisor.list().filter(view.hasPlugin);
  const wake = (plugin: string) =>
    supervisor.tools(plugin, { signal }).then(ignore, (error: unknown) => {
      if (SupervisorError.is(error) && !signal.aborted) refusals.set(plugin, error);
    });
  try {
    const awake = plugins.filter((plugin) => all.includes(plugin)).map(wake);
    // Whose tools nobody knows yet must say them first.
    const told = tools.map(async (tool) => {
      if (ownerOf(catalogs, all, tool, view) === null)
        await Promise.all(
          candidates(all, tool)
            .filter((plugin) => catalogs.get(plugin) === null)
            .map((plugin) => catalogs.learn(plugin, { signal }).then(ignore, ignore)),
        );
      const owner = ownerOf(catalogs, all, tool, view);
      if (owner !== null) await wake(owner);
    });
    await Promise.race([Promise.all([...awake, ...told]), aborted(signal)]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

function readinessOf(
  supervisor: Supervisor,
  catalogs: Catalogs,
  { plugins, tools, view }: Asked,
  refusals: ReadonlyMap<string, SupervisorError>,
): Readiness {
  const all = supervisor.list().filter(view.hasPlugin);
  const look = (plugin: string) => pluginReadiness(supervisor, all, plugin, refusals.get(plugin));
  const asked = plugins.map(look);
  const found = tools.map((tool): ToolReadiness => {
    const plugin = ownerOf(catalogs, all, tool, view);
    if (plugin === null) return { tool, plugin, ready: false, reason: 'unknown' };
    const { ready, reason } = look(plugin);
    return { tool, plugin, ready, reason };
  });
  // Nothing named: the gateway itself is ready, and tells of all of them what it knows.
  const named = plugins.length + tools.length > 0;
  return {
    ready: [...asked, ...found].every(({ ready }) => ready),
    plugins: named ? asked : all.map(look),
    tools: found,
  };
}

/** `refusal`: why a start that was just tried came to nothing. */
function pluginReadiness(
  supervisor: Supervisor,
  all: readonly string[],
  plugin: string,
  refusal: SupervisorError | undefined,
): PluginReadiness {
  const status = all.includes(plugin) ? statusOf(supervisor, plugin) : null;
  if (status === null) {
    const nothing = { state: null, subState: null, next: null, retryAt: null };
    return { plugin, ready: false, reason: 'unknown', message: 'There is no such plugin.', ...nothing };
  }
  const { state, subState, failure, why, next, retryAt } = status;
  const found = reasonOf(status);
  const reason = found === null ? null : (refusal?.code ?? found);
  const message = found === null ? null : (refusal?.message ?? failure?.message ?? why);
  return { plugin, ready: reason === null, state, subState, reason, message, next: hintFor(next), retryAt };
}

function statusOf(supervisor: Supervisor, plugin: string): PluginStatus | null {
  try {
    return supervisor.status(plugin);
  } catch (error) {
    // Removed a moment ago.
    if (SupervisorError.is(error)) return null;
    throw error;
  }
}

function reasonOf({ state, subState, failure }: PluginStatus): string | null {
  if (state === 'ready' || state === 'idle') return failure === null ? null : 'unhealthy';
  if (failure !== null) return failure.code;
  if (state === 'absent') return subState === 'checking' ? 'starting' : 'sleeping';
  return state === 'stopping' ? 'stopping' : 'starting';
}

/** `time__now` and `time/now` name the plugin; a bare name is whichever plugin's it is. */
const candidates = (all: readonly string[], tool: string): readonly string[] => {
  const owners = all.filter((plugin) => withoutOwner(plugin, tool) !== tool);
  return owners.length > 0 ? owners : all;
};

const withoutOwner = (plugin: string, tool: string) =>
  tool.startsWith(`${plugin}__`)
    ? tool.slice(plugin.length + 2)
    : tool.startsWith(`${plugin}/`)
      ? tool.slice(plugin.length + 1)
      : tool;

function ownerOf(catalogs: Catalogs, all: readonly string[], tool: string, view: View): string | null {
  const has = (plugin: string) => {
    const names = [tool, withoutOwner(plugin, tool)];
    return catalogs.get(plugin)?.tools.some(({ name }) => names.includes(name) && view.hasTool(plugin, name)) === true;
  };
  return candidates(all, tool).find(has) ?? all.find(has) ?? null;
}

const listOf = (query: URLSearchParams, name: string): readonly string[] =>
  query
    .getAll(name)
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');

const ignore = () => {};
