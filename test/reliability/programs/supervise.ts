/**
 * A program that embeds a supervisor: argv[2] is `Orders` as JSON. Says `>ready` and the pids of what its plugins started,
 * and every change of a state; SIGTERM closes, however often it comes.
 */
import type { SupervisorOptions, ToolResult } from '../../../src/options.ts';
import { createSupervisor } from '../../../src/supervisor.ts';

export interface Orders {
  readonly options: Omit<SupervisorOptions, 'home'>;
  /** Each plugin gets a child in its group, a stubborn one and a stubborn one in a session of its own. */
  readonly families?: boolean;
  /** A call of the tool `when` on every plugin, with this file and this timeout. */
  readonly when?: { readonly file: string; readonly timeout: number };
}

const { options, families = false, when } = JSON.parse(process.argv[2] ?? '{}') as Orders;
const say = (word: string, more: unknown = '') => console.log(word, JSON.stringify(more));

const supervisor = createSupervisor(options);
supervisor.on('plugin:state', ({ plugin, state, failure }) => say(`${plugin} ${state}`, failure?.code));
process.on('SIGTERM', () => {
  supervisor.close().then(() => process.exit(0));
});

const children = [{}, { stubborn: true }, { stubborn: true, escaped: true }];
const pidOf = (answer: ToolResult) => Number(answer.content?.[0]?.text);
const started = supervisor.list().map(async (name) => {
  const { pid } = await supervisor.start(name);
  const wanted = families ? children : [];
  const calls = wanted.map((given) => supervisor.call(name, { tool: 'child', arguments: given }).then(pidOf));
  return [pid, ...(await Promise.all(calls))];
});
const pids = (await Promise.all(started)).flat();
say('>ready', pids);

if (when !== undefined) {
  const { file, timeout } = when;
  for (const name of supervisor.list()) {
    supervisor.call(name, { tool: 'when', arguments: { file } }, { timeout }).then(
      () => say('>answered', supervisor.status(name).generation),
      ({ code }) => say('>refused', code),
    );
  }
  say('>asked');
}
setInterval(() => {}, 1000);
