/** Shows a plugin on its way: one line that changes on a terminal, plain lines with --verbose and in `run`, else nothing. */

import type { Failure } from '../../machines/failure.ts';
import { inOneLine, SAID_NOTHING, saidNothing } from '../explain-status.ts';
import type { LogLine, PluginStatus, StateChange } from '../options.ts';
import { printableLine } from '../printable.ts';
import { showDuration } from './duration.ts';
import { withoutQuotes } from './render-error.ts';
import { createStages, type Stages } from './stages.ts';
import { CLEAR, type Output } from './terminal.ts';

export interface Progress {
  state(change: StateChange): void;
  log(line: LogLine): void;
  /** What goes on once the plugin is ready: `calling echo`. */
  activity(text: string): void;
  /** Clears what is not meant to stay; nothing is shown from here on. */
  end(): void;
}

export interface ProgressParts<Status = PluginStatus> {
  readonly output: Output;
  /** The plugin as a person knows it. */
  readonly label: string;
  readonly status: () => Status;
  /** Milliseconds of a steady clock; default performance.now. */
  readonly now?: () => number;
}

export const silentProgress: Progress = { state() {}, log() {}, activity() {}, end() {} };

/** Ten frames a second look alive and cost nothing. */
const FRAME = 100;
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
/** Columns left free, so that the terminal's echo of Ctrl-C (`^C`) stays on the line that is then erased. */
const ECHO = 3;

/** One line, written over itself; it ends in a summary line that stays. */
export function createLineProgress({
  output,
  label,
  status,
  now = () => performance.now(),
}: ProgressParts<Pick<PluginStatus, 'state' | 'subState'>>): Progress {
  const { style } = output;
  const stages = createStages(now);
  let lastLine = '';
  let activity: { readonly text: string; readonly since: number } | null = null;
  let wasReady = false;
  let frame = 0;
  let painted = false;

  const clear = () => {
    if (painted) void output.write(CLEAR);
    painted = false;
  };
  const keep = (line: string) => {
    clear();
    void output.write(`${line}\n`);
  };
  const paint = () => {
    const text = activity === null ? (wasReady ? null : walking()) : ([activity.text, now() - activity.since] as const);
    if (text === null) return clear();
    const [doing, time, before = ''] = text;
    const spinner = SPINNER[frame++ % SPINNER.length] as string;
    void output.write(
      CLEAR +
        fitted(output.columns() - ECHO, [
          { text: `${spinner} `, paint: style.cyan },
          { text: `${label}  `, paint: style.bold },
          { text: before === '' ? '' : `${before} · `, paint: style.dim, optional: true },
          { text: `${doing} ${showDuration(time)}` },
          { text: lastLine === '' ? '' : `  ${lastLine}`, paint: style.dim },
        ]),
    );
    painted = true;
  };
  const walking = (): readonly [string, number, string] => {
    const { state, subState } = status();
    const waiting = subState === 'queued' ? ' (waiting for its turn)' : '';
    const doing = state === 'absent' ? 'checking' : `${state}${waiting}`;
    return [doing, stages.elapsed(), stages.done()];
  };
  const timer = setInterval(paint, FRAME).unref();

  return {
    state({ state }) {
      stages.enter(state);
      lastLine = '';
      if (wasReady) return;
      if (state === 'ready') {
        wasReady = true;
        const room = output.columns() - label.length - 3;
        keep(`${style.green('✓')} ${style.bold(label)} ${summary(stages, 'ready in', style.dim, room)}`);
      } else if (state === 'crashed') {
        wasReady = true;
        // No mark of its own: the error follows, and that is the one thing that failed.
        const room = output.columns() - label.length - 1;
        keep(style.dim(`${label} ${summary(stages, 'failed after', (text) => text, room)}`));
      }
    },
    log({ text }) {
      const line = printableLine(text).trim();
      if (line !== '') lastLine = line;
    },
    activity(text) {
      activity = { text: printableLine(text), since: activity?.since ?? now() };
      lastLine = '';
    },
    end() {
      clearInterval(timer);
      clear();
    },
  };
}

/**
 * `ready in 3.2 s: clone 0.4 s · install 1.9 s · start 0.7 s`; a start of one stage needs no list, and a list that is
 * wider than the room stands on the next line.
 */
function summary(stages: Stages, verb: string, dim: (text: string) => string, room = Number.POSITIVE_INFINITY): string {
  const total = `${verb} ${showDuration(stages.total())}`;
  const parts = stages.done();
  if (!parts.includes('·')) return total;
  return total + dim(`:${total.length + parts.length + 2 <= room ? ' ' : '\n  '}${parts}`);
}

interface Segment {
  readonly text: string;
  readonly paint?: (text: string) => string;
  /** Left out as a whole when the line is too narrow for what must be seen. */
  readonly optional?: boolean;
}

/** Painted text of at most `width` columns, cut at its end. */
function fitted(width: number, segments: readonly Segment[]): string {
  const length = (text: string) => [...text].length;
  const needed = segments.slice(0, -1).reduce((sum, { text }) => sum + length(text), 0);
  let room = width;
  let line = '';
  for (const { text, paint = (plain: string) => plain, optional } of segments) {
    if (room <= 0) break;
    if (optional === true && needed > width) continue;
    line += paint(length(text) <= room ? text : `${[...text].slice(0, room - 1).join('')}…`);
    room -= length(text);
  }
  return line;
}

export interface LinesParts extends ProgressParts {
  /** Streams whose lines are shown. */
  readonly streams: ReadonlySet<LogLine['stream']>;
  /** The command goes on without the plugin: what to do about a failure is told here; undefined: when the command ends. */
  readonly advise?: (hint: string) => string;
  /** Wall clock for the stamp in front; default Date. */
  readonly clock?: () => Date;
}

/** A line for every state and every line of output, each with its time. */
export function createLinesProgress(parts: LinesParts): Progress {
  const { output, label, status, streams, advise, now = () => performance.now(), clock = () => new Date() } = parts;
  const { style } = output;
  const stages = createStages(now);
  /** It is in service, but a health check went wrong: calls wait. */
  let unrouted = false;
  const line = (text: string) => {
    void output.write(`${style.dim(clock().toTimeString().slice(0, 8))} ${style.bold(label)} ${text}\n`);
  };

  return {
    state({ state, failure }) {
      const wasIdle = stages.state === 'idle';
      stages.enter(state);
      const inService = state === 'ready' || state === 'idle';
      const wasUnrouted = unrouted;
      unrouted = inService && failure !== null;
      if (unrouted) line(`${style.red('unrouted')} ${failure?.code}: ${failure && withoutQuotes(failure)}`);
      else if (inService && wasUnrouted) line(`${style.green('routed again')}`);
      // Calls come and go: that is no news, and no start.
      else if (state === 'idle' || (state === 'ready' && wasIdle)) return;
      else if (state === 'ready')
        line(`${style.green('ready')} ${summary(stages, 'in', style.dim)}${style.dim(facts(status()))}`);
      // What the supervisor decides about a crash is known only after it was told.
      else if (state === 'crashed') queueMicrotask(() => line(crashLine(status(), failure)));
      else line(state);
    },
    log({ stream, text }) {
      if (streams.has(stream) && text.trim() !== '') line(`${style.dim(`${stream} │`)} ${printableLine(text)}`);
    },
    activity(text) {
      line(printableLine(text));
    },
    // Lines stay where they are, and the way down is worth a line, too.
    end() {},
  };

  function crashLine({ retryAt, subState }: PluginStatus, failure: StateChange['failure']): string {
    const code = failure?.code ?? '';
    if (retryAt === null) {
      if (advise === undefined || failure === null) return `${style.red('crashed')} ${code}`;
      return `${style.red('crashed')} ${code}: ${printableLine(`${failure.message} ${advise(inOneLine(failure.hint))}`)}`.trimEnd();
    }
    // What stands above is not quoted.
    const shown = streams.has('stderr') ? withoutQuotes : ({ message }: Failure) => printableLine(message);
    const words = failure === null ? '' : shown(failure);
    const message = (failure !== null && saidNothing(failure) ? `${words} ${SAID_NOTHING}` : words).replace(/\.$/, '');
    const delay = Math.max(Date.parse(retryAt) - clock().getTime(), 0);
    const next =
      subState === 'parked'
        ? `parked; a call may try it again in ${showDuration(delay)}`
        : delay < 20
          ? 'started again at once'
          : `next start in ${showDuration(delay)}`;
    return `${style.red('crashed')} ${code}: ${message}${style.dim(` · ${next}`)}`;
  }
}

/** ` · 3 tools · stdio · pid 4711 · http://127.0.0.1:4000/mcp` */
function facts({ tools, transport, pid, url }: PluginStatus): string {
  const known = [
    tools === null || transport === 'http' ? null : `${tools} ${tools === 1 ? 'tool' : 'tools'}`,
    transport,
    pid === null ? null : `pid ${pid}`,
    url,
  ];
  return known.map((fact) => (fact === null ? '' : ` · ${fact}`)).join('');
}
