import { inOneLine } from '../explain-status.ts';
import type { PluginStatus } from '../options.ts';
import { printableLine } from '../printable.ts';
import { showDuration } from './duration.ts';
import type { Output, Style } from './terminal.ts';
import { wrap } from './wrap.ts';

type Shown = Pick<Output, 'style' | 'columns'>;

/** One plugin per line: name, state, since when, what it has, and why where something is wrong. At most as wide as the terminal. */
export function statusesAsText(plugins: readonly PluginStatus[], output: Shown, now = Date.now()): string {
  const { style } = output;
  const columns = Math.max(output.columns(), 40);
  const rows = plugins.map((status) => ({
    name: printableLine(status.name),
    state: stateOf(status),
    since: isRunning(status) || status.failure !== null ? ago(status.since, now) : '',
    tools: status.tools === null ? '' : String(status.tools),
    about: printableLine(aboutOf(status)),
    status,
  }));
  const head = { name: 'NAME', state: 'STATE', since: 'FOR', tools: 'TOOLS', about: '' };
  const width = (of: 'name' | 'state' | 'since' | 'tools', most: number) =>
    Math.min(most, Math.max(...[head, ...rows].map((row) => row[of].length)));
  const widths = {
    name: width('name', Math.floor(columns / 3)),
    state: width('state', 20),
    since: width('since', 12),
    tools: 5,
  };
  const line = (row: typeof head, paint: (text: string) => string) => {
    const start = `${cell(row.name, widths.name)}  ${paint(cell(row.state, widths.state))}  ${cell(row.since, widths.since)}  ${row.tools.padStart(widths.tools)}  `;
    const room = columns - widths.name - widths.state - widths.since - widths.tools - 8;
    return `${start}${style.dim(room < 8 ? '' : cut(row.about, room))}`.trimEnd();
  };
  return [style.dim(line(head, (text) => text)), ...rows.map((row) => line(row, painter(row.status, style)))]
    .join('\n')
    .concat('\n');
}

/** All that is known of one plugin. */
export function statusAsText(status: PluginStatus, output: Shown, now = Date.now()): string {
  const { style } = output;
  const columns = output.columns();
  const row = (name: string, text: string) =>
    wrap([`  ${style.dim(name.padEnd(9))}${text.split(' ')[0]}`, ...text.split(' ').slice(1)], columns, ' '.repeat(11));
  const { name, source, pid, transport, url, tools, generation, failure, why, next, inFlight, held, noise, instances } =
    status;
  const has = [
    ...(tools === null || transport === 'http' ? [] : [`${tools} ${tools === 1 ? 'tool' : 'tools'}`]),
    ...(transport === null ? [] : [transport]),
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(url === null ? [] : [url]),
  ].join(' · ');
  const calls = [...(inFlight > 0 ? [`${inFlight} running`] : []), ...(held > 0 ? [`${held} waiting`] : [])].join(', ');
  const lines = [
    `${style.bold(printableLine(name))}  ${painter(status, style)(stateOf(status))}${hasLived(status) ? style.dim(` for ${ago(status.since, now)}`) : ''}`,
    row('source', printableLine(source)),
    ...(has === '' ? [] : [row('runs', printableLine(has))]),
    ...(generation === 0 ? [] : [row('starts', String(generation))]),
    ...(calls === '' ? [] : [row('calls', calls)]),
    ...(instances ?? []).map((each) => row('instance', instanceAsText(each, now))),
    row('why', printableLine(why)),
    row('next', printableLine(next)),
    ...(noise === null
      ? []
      : [row('noise', printableLine(`${noise.lines} lines on stdout are no messages. ${noise.hint ?? ''}`.trim()))]),
    ...(failure === null
      ? []
      : [
          // Most of it stands above.
          row(
            'failure',
            printableLine(why.includes(stem(failure.message)) ? failure.code : `${failure.code}: ${failure.message}`),
          ),
          ...(next.includes(inOneLine(failure.hint)) ? [] : [row('', printableLine(`→ ${inOneLine(failure.hint)}`))]),
        ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** `time#1 ready for 3 s · pid 4711 · 2 running` */
function instanceAsText(status: PluginStatus, now: number): string {
  const { name, pid, inFlight, since } = status;
  const facts = [...(pid === null ? [] : [`pid ${pid}`]), ...(inFlight === 0 ? [] : [`${inFlight} running`])];
  const lived = hasLived(status) ? ` for ${ago(since, now)}` : '';
  return printableLine([`${name} ${stateOf(status)}${lived}`, ...facts].join(' · '));
}

/** `crashed (parked)`: a sub-state that says more than its state. */
export const stateOf = ({ state, subState }: Pick<PluginStatus, 'state' | 'subState'>): string =>
  subState !== null && /^(queued|cancelling|waiting|parked)$/.test(subState) ? `${state} (${subState})` : state;

const isRunning = ({ state }: PluginStatus) => state !== 'absent';

/** Without its full stop: it may stand in the middle of a sentence. */
const stem = (message: string) => message.trim().replace(/\.$/, '');

/** Since when it has never been started tells nothing. */
const hasLived = (status: PluginStatus) => isRunning(status) || status.failure !== null || status.generation > 0;

const aboutOf = ({ failure, source }: PluginStatus): string =>
  failure === null ? source : `${failure.code}: ${failure.message}`;

export const painter = ({ state }: Pick<PluginStatus, 'state'>, style: Style): ((text: string) => string) =>
  state === 'ready' || state === 'idle'
    ? style.green
    : state === 'crashed'
      ? style.red
      : state === 'absent'
        ? style.dim
        : style.yellow;

const ago = (since: string, now: number): string => {
  const time = Math.max(0, now - Date.parse(since));
  const hours = Math.floor(time / 3_600_000);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  if (hours >= 1) return `${hours} h ${Math.floor((time % 3_600_000) / 60_000)} min`;
  return showDuration(time);
};

const cell = (text: string, width: number) => cut(text, width).padEnd(width);
const cut = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
