import type { Supervisor } from '../../options.ts';
import type { Catalogs } from '../contracts.ts';

/** Characters of one plugin's own instructions, and of all together: they are read by a model with every request. */
const OF_ONE = 2000;
const OF_ALL = 12_000;

/** What the aggregated endpoint says of itself: which plugins there are, and what each of them says of itself. */
export function gatewayInstructions(plugins: readonly string[], catalogs: Catalogs, supervisor: Supervisor): string {
  if (plugins.length === 0) return 'No plugin is configured yet.';
  const lines = plugins.map((plugin) => `- ${plugin}: ${aboutOne(plugin, catalogs, supervisor)}`);
  const parts = [
    `Tools and prompts of ${plugins.length === 1 ? 'one plugin' : `${plugins.length} plugins`}, named plugin__name:`,
    lines.join('\n'),
  ];
  let room = OF_ALL;
  for (const plugin of plugins) {
    const own = catalogs.get(plugin)?.server?.instructions;
    if (typeof own !== 'string' || own.trim() === '') continue;
    const text = cut(own.trim(), Math.min(OF_ONE, room));
    if (text === '') break;
    room -= text.length;
    parts.push(`# ${plugin}\n${text}`);
  }
  return parts.join('\n\n');
}

function aboutOne(plugin: string, catalogs: Catalogs, supervisor: Supervisor): string {
  const catalog = catalogs.get(plugin);
  if (catalog === null) return `not seen yet (${supervisor.status(plugin).state})`;
  const { title, name, description } = (catalog.server?.serverInfo ?? {}) as Readonly<Record<string, unknown>>;
  const called = [title, name].find((text) => typeof text === 'string' && text !== '');
  const about = typeof description === 'string' ? `, ${cut(description, 200)}` : '';
  const count = catalog.tools.length;
  return `${called ?? plugin}${about} (${count} ${count === 1 ? 'tool' : 'tools'})`.replace(/\s+/g, ' ');
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : length < 2 ? '' : `${text.slice(0, length - 1)}…`;
