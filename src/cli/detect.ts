import type { PlannedSource } from '../plan-source.ts';
import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import { type Invocation, toPluginOptions } from './options.ts';
import { createLineProgress, silentProgress } from './progress.ts';
import { doubtsAsText } from './render-doubts.ts';
import { planAsText } from './render-plan.ts';
import { type CommandContext, labelOf, supervisorOptions } from './session.ts';

/** Clones and looks, and says how the plugin would be run; nothing of it runs. */
export async function detect(invocation: Invocation, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const { stdout, stderr } = terminal;
  const { flags } = invocation;
  const plugin = await toPluginOptions(invocation, env);
  const { defaultName, parseSource, showSource } = await import('../source.ts');
  const { source } = parseSource(invocation.source, { ref: plugin.ref, subdir: plugin.subdir });
  const label = labelOf(defaultName(source));
  const { planSource } = await import('../plan-source.ts');
  const planned = planSource(plugin, { ...supervisorOptions(invocation), signal: shutdown.signal });
  // An interrupted clone removes its own temp folder: that is what a signal waits for.
  shutdown.own(() => planned.then(noop, noop));

  const status = () => ({ state: 'cloning', subState: null }) as const;
  const watched = stderr.isTerminal && flags.json !== true;
  const progress = watched ? createLineProgress({ output: stderr, label, status }) : silentProgress;
  shutdown.signal.addEventListener('abort', () => progress.end(), { once: true });
  const found = await planned.finally(() => progress.end());
  await stdout.write(
    flags.json === true
      ? `${toJson(asRecord(found, showSource(source)), stdout.isTerminal)}\n`
      : planAsText({ ...found, name: label, source: showSource(source), full: flags.verbose === true }, stdout),
  );
  if (flags.strict !== true || found.doubts.length === 0) return EXIT.ok;
  if (flags.json !== true) await stdout.write(doubtsAsText(found.doubts, found.plan, stdout));
  return EXIT.plugin;
}

/** What `--json` prints: the plan's own fields, and what stands around it. Fields are added, never renamed. */
const asRecord = (
  { plan, name, commit, settings, tools, doubts, installed, confinement }: PlannedSource,
  source: string,
) => ({
  ...plan,
  name,
  source,
  commit,
  settings,
  machine: tools,
  doubts,
  installed,
  confinement,
});

const noop = () => {};
