/** What a supervisor remembers for people: the last state changes and the last lines of each plugin. */

import type { OutputLine } from '../actors/context.ts';
import { pluginOf } from '../actors/instance-name.ts';
import type { HistoryEntry, LogLine } from './options.ts';

const HISTORY = 200;
/** Same bound as the stderr ring. */
const LOG_LINES = 1000;
/** A flood without a newline comes in lines of 64 KiB: a thousand of them would be 64 MB for each plugin. */
const LOG_CHARACTERS = 4 * 1024 * 1024;

/** Of one plugin, with all its instances. */
interface Observed {
  readonly history: HistoryEntry[];
  readonly log: LogLine[];
  /** Of the log's lines together. */
  characters: number;
}

export interface Observer {
  changed(instance: string, entry: HistoryEntry): void;
  printed(line: OutputLine): LogLine;
  /** Copies of what is kept now. */
  history(plugin: string): readonly HistoryEntry[];
  log(plugin: string): readonly LogLine[];
  last(instance: string): HistoryEntry | undefined;
  /** ISO time at which its state was entered; told again (of a health check) it is no new one. */
  since(instance: string): string | undefined;
  /** That instance alone: what it did is the plugin's history. */
  forgetInstance(instance: string): void;
  forget(plugin: string): void;
}

/** Characters of a line that a failure in the history quotes: whole ones could be 64 KiB, 20 of them 200 times. */
const QUOTED = 1000;

function shortened(failure: HistoryEntry['failure']): HistoryEntry['failure'] {
  if (failure === null || failure.stderrTail.every((line) => line.length <= QUOTED)) return failure;
  const stderrTail = failure.stderrTail.map((line) => (line.length > QUOTED ? `${line.slice(0, QUOTED)}…` : line));
  return { ...failure, stderrTail };
}

/** Said where it isn't the plugin's first one. */
export const instanceIn = (instance: string): { readonly instance?: string } =>
  instance === pluginOf(instance) ? {} : { instance };

export function createObserver(now: () => number): Observer {
  const plugins = new Map<string, Observed>();
  const lasts = new Map<string, { readonly entry: HistoryEntry; readonly since: string }>();
  const kept = (plugin: string) => {
    let observed = plugins.get(plugin);
    if (observed === undefined) {
      observed = { history: [], log: [], characters: 0 };
      plugins.set(plugin, observed);
    }
    return observed;
  };
  /** Cut in blocks, so that appending stays cheap. */
  const append = <T>(list: T[], item: T, limit: number) => {
    list.push(item);
    if (list.length > limit * 1.25) list.splice(0, list.length - limit);
  };
  /** The oldest lines go; many at once, so that appending stays cheap. */
  const shorten = (observed: Observed) => {
    const { log } = observed;
    const surplus = log.length - LOG_LINES;
    let gone = 0;
    for (; gone < surplus || (observed.characters > LOG_CHARACTERS && gone < log.length - 1); gone += 1)
      observed.characters -= log[gone]!.text.length;
    log.splice(0, gone);
  };
  return {
    history: (plugin) => kept(plugin).history.slice(-HISTORY),
    log: (plugin) => kept(plugin).log.slice(-LOG_LINES),
    last: (instance) => lasts.get(instance)?.entry,
    since: (instance) => lasts.get(instance)?.since,
    forgetInstance: (instance) => void lasts.delete(instance),
    forget: (plugin) => void plugins.delete(plugin),
    changed(instance, given) {
      const entry = { ...given, failure: shortened(given.failure) };
      const before = lasts.get(instance);
      const isNew = before?.entry.state !== entry.state || before.entry.generation !== entry.generation;
      lasts.set(instance, { entry, since: isNew ? entry.at : before.since });
      append(kept(pluginOf(instance)).history, entry, HISTORY);
    },
    printed({ plugin: instance, stream, text }) {
      const plugin = pluginOf(instance);
      const line = { at: new Date(now()).toISOString(), stream, text, ...instanceIn(instance) };
      const observed = kept(plugin);
      observed.log.push(line);
      observed.characters += text.length;
      if (observed.log.length > LOG_LINES * 1.25 || observed.characters > LOG_CHARACTERS) shorten(observed);
      return line;
    },
  };
}
