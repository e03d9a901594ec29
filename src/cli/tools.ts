import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import type { Invocation } from './options.ts';
import { toolsAsText } from './render-tools.ts';
import { isDescribed } from './schema.ts';
import type { CommandContext } from './session.ts';
import { openTarget } from './target.ts';

/** Starts the plugin and lists its tools. */
export async function tools(invocation: Invocation, context: CommandContext): Promise<number> {
  const { stdout, stderr } = context.terminal;
  const target = await openTarget(invocation, context);
  const { progress } = target;
  const found = await target.tools();
  progress.end();
  if (invocation.flags.json === true) {
    await stdout.write(`${toJson({ tools: found }, stdout.isTerminal)}\n`);
    return EXIT.ok;
  }
  await stdout.write(toolsAsText(found, stdout));
  if (target.isPlain() && !found.some(isDescribed)) {
    const send = `mcp-supervisor call ${invocation.source} '{"key": "value"}'`;
    await stderr.write(
      `A plain HTTP service without an OpenAPI document has no list of tools. Send it JSON:\n  ${send}\n`,
    );
  } else if (found.length === 0) {
    await stderr.write('It lists no tools. Some servers list none until a key is set: --env NAME=value.\n');
  }
  return EXIT.ok;
}
