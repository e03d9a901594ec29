import { supervisorError } from '../../errors.ts';
import type { HistoryEntry } from '../../options.ts';
import { printableLine } from '../../printable.ts';
import { needDaemon } from '../daemon/client.ts';
import { EXIT } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { painter } from '../render-status.ts';
import type { CommandContext } from '../session.ts';
import type { Output } from '../terminal.ts';
import { wrap } from '../wrap.ts';
import { homeFor, type PluginsInvocation } from './contracts.ts';

/** What a plugin went through, oldest first. */
export async function history(invocation: PluginsInvocation, context: CommandContext): Promise<number> {
  const [name] = invocation.names;
  if (name === undefined) {
    throw supervisorError('CONFIG_INVALID', {
      message: "Missing required argument 'name'.",
      hint: 'See mcp-supervisor history --help.',
    });
  }
  const { stdout } = context.terminal;
  const daemon = await needDaemon(homeFor(invocation, context), context.shutdown.signal);
  const path = `/plugins/${encodeURIComponent(name)}/history`;
  const { history: entries } = (await daemon.request('GET', path)) as { history: readonly HistoryEntry[] };
  await stdout.write(
    invocation.flags.json === true
      ? `${toJson({ history: entries }, stdout.isTerminal)}\n`
      : historyAsText(entries, stdout),
  );
  return EXIT.ok;
}

export function historyAsText(entries: readonly HistoryEntry[], output: Pick<Output, 'style' | 'columns'>): string {
  const { style } = output;
  return entries
    .map((entry) => {
      const { at, state, generation, failure, reason, instance } = entry;
      const said = failure === null ? (reason ?? '') : `${failure.code}: ${failure.message}`;
      const why = instance === undefined ? said : `${instance} ${said}`;
      const head = `${style.dim(localTime(at))}  ${painter(entry, style)(state.padEnd(10))}  ${style.dim(`#${generation}`.padEnd(4))}`;
      // Time, state and number of the start: 19 + 2 + 10 + 2 + 4 and a blank.
      const text = wrap(printableLine(why).split(' '), Math.max(20, output.columns() - 38), '');
      return `${head} ${text.replaceAll('\n', `\n${' '.repeat(38)}`)}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** `2026-11-23 14:05:09`, where the reader is. */
function localTime(iso: string): string {
  const date = new Date(iso);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
