/** `/metrics`: what was counted, in the Prometheus text format 0.0.4. Durations in seconds, as is the custom there. */

import { PLUGIN_STATES } from '../../../machines/states.ts';
import type { PluginMetrics, Supervisor } from '../../options.ts';
import { replyText } from '../http/reply.ts';
import type { Answer } from '../http/routes.ts';
import type { Traffic } from '../http/traffic.ts';
import { requirePlugin } from './require.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string | number>>;
/** Suffix of the name (`_bucket`), labels, value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];

export function createMetrics(supervisor: Supervisor, traffic: Traffic, sessions: () => number): Answer {
  return (exchange) => {
    const { path, principal, response } = exchange;
    // `/plugins/:name/metrics` tells of that one alone.
    const only = path[1] === undefined ? null : supervisor.status(requirePlugin(supervisor, exchange)).name;
    const isShown = ({ plugin }: PluginMetrics) => (only === null ? principal.view.hasPlugin(plugin) : plugin === only);
    const plugins = supervisor.metrics().filter(isShown);
    const whole = only === null && principal.view.profile === null;
    const text = [
      ...pluginMetrics(plugins),
      ...(whole ? [...httpMetrics(traffic, sessions()), ...processMetrics()] : []),
    ];
    replyText(response, 200, METRICS_TYPE, text.join(''));
  };
}

function pluginMetrics(plugins: readonly PluginMetrics[]): readonly string[] {
  const each = (name: string, type: string, help: string, value: (metrics: PluginMetrics) => number) =>
    family(
      `mcp_supervisor_${name}`,
      type,
      help,
      plugins.map((metrics) => ['', { plugin: metrics.plugin }, value(metrics)]),
    );
  return [
    family(
      'mcp_supervisor_plugin_state',
      'gauge',
      'State of the plugin: 1 for the one that it is in.',
      plugins.flatMap(({ plugin, state }) =>
        PLUGIN_STATES.map((name): Sample => ['', { plugin, state: name }, name === state ? 1 : 0]),
      ),
    ),
    each(
      'plugin_state_since_seconds',
      'gauge',
      'Unix time at which the state was entered.',
      ({ since }) => Date.parse(since) / 1000,
    ),
    family(
      'mcp_supervisor_calls_total',
      'counter',
      'Calls and requests by outcome; failed ones by error code.',
      plugins.flatMap(({ plugin, calls: { ok, toolErrors, failed } }): Sample[] => [
        ['', { plugin, outcome: 'ok', code: '' }, ok],
        ['', { plugin, outcome: 'tool_error', code: '' }, toolErrors],
        ...Object.entries(failed).map(([code, count]): Sample => ['', { plugin, outcome: 'failed', code }, count]),
      ]),
    ),
    each('calls_in_flight', 'gauge', 'Requests that wait for the answer of the plugin.', ({ inFlight }) => inFlight),
    each('calls_held', 'gauge', 'Calls that wait for the plugin to be ready.', ({ held }) => held),
    each('calls_rejected_total', 'counter', 'Calls refused before anything was sent.', ({ rejected }) => rejected),
    family(
      'mcp_supervisor_call_duration_seconds',
      'histogram',
      'Time from sending a request to its answer; waiting for a start is not in it.',
      plugins.flatMap(({ plugin, latency: { buckets, sum, count } }): Sample[] => [
        ...buckets.map(
          ({ le, count }): Sample => [
            '_bucket',
            { plugin, le: le === Number.POSITIVE_INFINITY ? '+Inf' : le / 1000 },
            count,
          ],
        ),
        ['_sum', { plugin }, sum / 1000],
        ['_count', { plugin }, count],
      ]),
    ),
    each('starts_total', 'counter', 'Starts of the plugin.', ({ starts }) => starts),
    each('restarts_total', 'counter', 'Starts that the restart policy made after a crash.', ({ restarts }) => restarts),
    each('relaunches_total', 'counter', 'Further attempts of a start.', ({ relaunches }) => relaunches),
    each('spawns_total', 'counter', 'Programs that ran.', ({ spawns }) => spawns),
    each('crashes_total', 'counter', 'Crashes of the plugin.', ({ crashes }) => crashes),
    each('noise_lines_total', 'counter', 'Lines on stdout that are no messages.', ({ noiseLines }) => noiseLines),
    each('late_replies_total', 'counter', 'Answers that nobody waited for.', ({ lateReplies }) => lateReplies),
    each('log_bytes_total', 'counter', 'Bytes written to the log file of the plugin.', ({ logBytes }) => logBytes),
  ];
}

function httpMetrics(traffic: Traffic, sessions: number): readonly string[] {
  return [
    family(
      'mcp_supervisor_http_requests_total',
      'counter',
      'HTTP requests by address and status; 499 are those whose caller hung up.',
      traffic.counted().map(({ route, status, count }) => ['', { route, status }, count]),
    ),
    gauge('mcp_supervisor_http_requests_in_flight', 'HTTP requests that are being answered.', traffic.inFlight()),
    gauge('mcp_supervisor_mcp_sessions', 'Sessions of MCP clients.', sessions),
  ];
}

function processMetrics(): readonly string[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return [
    family('process_cpu_seconds_total', 'counter', 'Processor time of the gateway.', [['', {}, (user + system) / 1e6]]),
    gauge('process_resident_memory_bytes', 'Memory of the gateway.', rss),
    gauge('process_start_time_seconds', 'Unix time of its start.', Math.round(Date.now() / 1000 - process.uptime())),
    gauge('nodejs_heap_size_used_bytes', 'Memory of its JavaScript objects.', heapUsed),
  ];
}

const gauge = (name: string, help: string, value: number) => family(name, 'gauge', help, [['', {}, value]]);

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([suffix, labels, value]) => `${name}${suffix}${showLabels(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function showLabels(labels: Labels): string {
  const shown = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(String(value))}"`);
  return shown.length === 0 ? '' : `{${shown.join(',')}}`;
}

const escapeLabel = (value: string) => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
