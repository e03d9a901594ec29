/** What the daemon says: calm lines for a person on stderr, or JSON lines on stdout. */

import type { SupervisorError } from '../../errors.ts';
import { hintFor } from '../../gateway/hint.ts';
import type { LogLine, Supervisor } from '../../options.ts';
import { toJson } from '../json.ts';
import { createLinesProgress, type Progress } from '../progress.ts';
import { errorAsText } from '../render-error.ts';
import { labelOf } from '../session.ts';
import type { Terminal } from '../terminal.ts';
import type { ServeFlags } from './options.ts';

export interface Started {
  readonly version: string;
  readonly urls: readonly string[];
  readonly socket: string;
  readonly config: string | null;
  readonly home: string;
  readonly plugins: readonly string[];
  /** Made just now; told this once. */
  readonly token: string | null;
  /** Where the gateway's own token is kept; null when there is none. */
  readonly tokenFile: string | null;
}

export interface Report {
  started(started: Started): Promise<void>;
  /** Every state of every plugin from now on. */
  follow(supervisor: Supervisor): void;
  /** A sentence. */
  note(text: string, facts?: Readonly<Record<string, unknown>>): void;
  /** The file in its present state doesn't count. */
  problem(error: SupervisorError): void;
}

const STREAMS: ReadonlySet<LogLine['stream']> = new Set(['clone', 'install', 'stdout', 'stderr']);
const NONE: ReadonlySet<LogLine['stream']> = new Set();

export function createReport({ stdout, stderr }: Terminal, flags: ServeFlags): Report {
  if (flags.json === true) {
    const write = (value: object) => void stdout.write(`${toJson(value)}\n`);
    return {
      async started({ token, ...started }) {
        await stdout.write(`${toJson({ event: 'listening', ...started, ...(token === null ? {} : { token }) })}\n`);
      },
      follow(supervisor) {
        supervisor.on('plugin:state', (change) => write({ event: 'state', ...change }));
        if (flags.verbose === true) supervisor.on('plugin:log', (line) => write({ event: 'log', ...line }));
      },
      note: (text, facts) => write({ event: 'note', text, ...facts }),
      problem: (error) => write({ event: 'problem', error }),
    };
  }
  const { style } = stderr;
  return {
    started: async (started) => stderr.write(banner(started, stderr)),
    follow(supervisor) {
      const shows = new Map<string, Progress>();
      /** Each instance has a start of its own. */
      const of = (plugin: string, instance = plugin) => {
        let progress = shows.get(instance);
        if (progress === undefined) {
          progress = createLinesProgress({
            output: stderr,
            label: labelOf(plugin) + instance.slice(plugin.length),
            status() {
              const status = supervisor.status(plugin);
              return status.instances?.find(({ name }) => name === instance) ?? status;
            },
            streams: flags.verbose === true ? STREAMS : NONE,
            advise: hintFor,
          });
          shows.set(instance, progress);
        }
        return progress;
      };
      supervisor.on('plugin:state', (change) => {
        const { plugin, instance = plugin, state } = change;
        // One that has just been added: that is told by whoever added it.
        if (state !== 'absent' || shows.has(instance)) of(plugin, instance).state(change);
      });
      supervisor.on('plugin:log', (line) => of(line.plugin).log(line));
      supervisor.on('plugin:removed', ({ plugin }) => {
        for (const instance of [...shows.keys()]) {
          if (instance === plugin || instance.startsWith(`${plugin}#`)) shows.delete(instance);
        }
      });
    },
    note: (text) => void stderr.write(`${style.dim(new Date().toTimeString().slice(0, 8))} ${text}\n`),
    problem: (error) => void stderr.write(errorAsText(error, stderr)),
  };
}

function banner(
  { version, urls, socket, config, home, plugins, token, tokenFile }: Started,
  { style }: Terminal['stderr'],
): string {
  const [url = ''] = urls;
  const row = (name: string, text: string) => `  ${style.dim(name.padEnd(9))}${text}`;
  const count = `${plugins.length} ${plugins.length === 1 ? 'plugin' : 'plugins'}`;
  const lines = [
    `${style.green('●')} ${style.bold('mcp-supervisor')} ${version} serves ${count}`,
    row('MCP', `${style.cyan(`${url}/mcp`)}${style.dim(' · one alone: /plugins/<name>/mcp')}`),
    row('REST', style.cyan(`${url}/plugins`)),
    ...urls.slice(1).map((other) => row('also', style.cyan(other))),
    row('socket', socket),
    row('config', config ?? `none; put one at ${home}/config.yaml`),
    ...(plugins.length === 0 ? [] : [row('plugins', plugins.map(labelOf).join(', '))]),
    ...(token !== null
      ? [row('token', style.bold(token)), row('', style.dim(`shown this once; kept in ${tokenFile}`))]
      : tokenFile !== null
        ? [row('token', `in ${tokenFile}`)]
        : []),
  ];
  return `${lines.join('\n')}\n`;
}
