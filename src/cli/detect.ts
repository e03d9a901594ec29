import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import { type Invocation, toPluginOptions } from './options.ts';
import { planAsText } from './render-plan.ts';
import { type CommandContext, labelOf, supervisorOptions } from './session.ts';

/** Clones and looks, and says how the plugin would be run; nothing of it runs. */
export async function detect(invocation: Invocation, { terminal, shutdown, env }: CommandContext): Promise<number> {
  const { stdout, stderr } = terminal;
  const plugin = await toPluginOptions(invocation, env);
  const { planSource } = await import('../plan-source.ts');
  const planned = planSource(plugin, { ...supervisorOptions(invocation), signal: shutdown.signal });
  // An interrupted clone removes its own temp folder: that is what a signal waits for.
  shutdown.own(() => planned.then(noop, noop));
  const hurried = stderr.isTerminal && invocation.flags.json !== true;
  const note = hurried
    ? setTimeout(() => void stderr.write(stderr.style.dim('fetching the source …\n')), 500)
    : undefined;
  const found = await planned.finally(() => clearTimeout(note));
  if (invocation.flags.json === true) {
    await stdout.write(`${toJson(found.plan, stdout.isTerminal)}\n`);
  } else {
    const source = await shownSource(plugin);
    await stdout.write(planAsText({ ...found, name: labelOf(found.name), source }, stdout));
  }
  return EXIT.ok;
}

async function shownSource(plugin: Awaited<ReturnType<typeof toPluginOptions>>): Promise<string> {
  const { parseSource, showSource } = await import('../source.ts');
  return showSource(parseSource(plugin.source, { ref: plugin.ref, subdir: plugin.subdir }).source);
}

const noop = () => {};
