import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import type { Invocation } from './options.ts';
import { toolsAsText } from './render-tools.ts';
import { type CommandContext, NO_LIMIT, openSession } from './session.ts';

/** Starts the plugin and lists its tools. */
export async function tools(invocation: Invocation, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context.terminal;
  const { supervisor, name, progress } = await openSession(invocation, context);
  const found = await supervisor.tools(name, {
    startTimeout: NO_LIMIT,
    signal: context.shutdown.signal,
  });
  const { transport } = supervisor.status(name);
  progress.end();
  if (invocation.flags.json === true) {
    await stdout.write(`${toJson({ tools: found }, stdout.isTerminal)}\n`);
    return EXIT.ok;
  }
  await stdout.write(toolsAsText(found, stdout));
  if (found.length === 0) {
    await stderr.write(
      transport === 'http'
        ? `A plain HTTP service has no list of tools. Send it JSON:\n  mcp-supervisor call ${invocation.source} '{"key": "value"}'\n`
        : 'It lists no tools. Some servers list none until a key is set: --env NAME=value.\n',
    );
  }
  return EXIT.ok;
}
