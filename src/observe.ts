/** What a supervisor remembers for people: the last state changes and the last lines of each plugin. */

import type { OutputLine } from '../actors/context.ts';
import type { HistoryEntry, LogLine } from './options.ts';

const HISTORY = 200;
/** Same bound as the stderr ring. */
const LOG_LINES = 1000;

interface Observed {
  readonly history: HistoryEntry[];
  readonly log: LogLine[];
}

export interface Observer {
  changed(plugin: string, entry: HistoryEntry): void;
  printed(line: OutputLine): LogLine;
  /** Copies of what is kept now. */
  history(plugin: string): readonly HistoryEntry[];
  log(plugin: string): readonly LogLine[];
  last(plugin: string): HistoryEntry | undefined;
  forget(plugin: string): void;
}

export function createObserver(now: () => number): Observer {
  const plugins = new Map<string, Observed>();
  const kept = (plugin: string) => {
    let observed = plugins.get(plugin);
    if (observed === undefined) {
      observed = { history: [], log: [] };
      plugins.set(plugin, observed);
    }
    return observed;
  };
  /** Cut in blocks, so that appending stays cheap. */
  const append = <T>(list: T[], item: T, limit: number) => {
    list.push(item);
    if (list.length > limit * 1.25) list.splice(0, list.length - limit);
  };
  return {
    history: (plugin) => kept(plugin).history.slice(-HISTORY),
    log: (plugin) => kept(plugin).log.slice(-LOG_LINES),
    last: (plugin) => plugins.get(plugin)?.history.at(-1),
    forget: (plugin) => plugins.delete(plugin),
    changed: (plugin, entry) => append(kept(plugin).history, entry, HISTORY),
    printed({ plugin, stream, text }) {
      const line = { at: new Date(now()).toISOString(), stream, text };
      append(kept(plugin).log, line, LOG_LINES);
      return line;
    },
  };
}
