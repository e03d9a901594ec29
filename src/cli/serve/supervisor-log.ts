import type { Log } from '../../../actors/context.ts';
import type { Report } from './report.ts';

/** What supervisor and gateway find worth a warning. The states of plugins are told by their events. */
export function supervisorLog({ note }: Pick<Report, 'note'>): Log {
  const say = (fields: object, message: string) => {
    const { plugin, state, err } = fields as { plugin?: string; state?: string; err?: unknown };
    if (state !== undefined) return;
    const what = err instanceof Error ? `${message} (${err.message})` : message;
    note(plugin === undefined || message.startsWith(plugin) ? what : `${plugin}: ${what}`);
  };
  return { debug() {}, info() {}, warn: say, error: say };
}
