import type { Log } from '../../../actors/context.ts';
import { labelOf } from '../session.ts';
import type { Report } from './report.ts';

/** What supervisor and gateway find worth a warning. The states of plugins are told by their events. */
export function supervisorLog({ note }: Pick<Report, 'note'>): Log {
  const say = (fields: object, message: string) => {
    const { plugin, state, err } = fields as { plugin?: string; state?: string; err?: unknown };
    if (state !== undefined) return;
    const what = err instanceof Error ? `${message} (${err.message})` : message;
    if (plugin === undefined) return note(what);
    // As its states are told: a source's name has a checksum that nobody wrote.
    const label = labelOf(plugin);
    note(what.startsWith(plugin) ? `${label}${what.slice(plugin.length)}` : `${label}: ${what}`);
  };
  return { debug() {}, info() {}, warn: say, error: say };
}
