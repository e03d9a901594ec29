/** Which of the words are the source: the first one, or, where there is none, the command behind `--`. */

import { supervisorError } from '../errors.ts';
import type { CallInvocation } from './call.ts';
import { findNamed, isName, splitTool } from './named.ts';
import type { Flags, Invocation } from './options.ts';
import type { CommandContext } from './session.ts';

/** What stood beside a command's own words; `pluginArgs` behind `--`. */
type Given = Pick<Invocation, 'flags' | 'pluginArgs'>;

/** `tools ./x -- args`, and `tools -- node server.js`. CONFIG_INVALID without either. */
export async function toInvocation(command: string, source: string | undefined, given: Given): Promise<Invocation> {
  const { url } = given.flags;
  if (url !== undefined) return { source: await remoteWord(url, source), ...given };
  if (source !== undefined) return { source, ...given };
  return ofCommand(command, given);
}

/** `call ./x tool a=1`, `call name.tool a=1`, and `call tool a=1 -- node server.js`: a tool's name is no source. */
export async function toCallInvocation(
  words: readonly string[],
  given: Given,
  context: Pick<CommandContext, 'env' | 'shutdown'>,
): Promise<CallInvocation> {
  const { url } = given.flags;
  if (url !== undefined) {
    const [tool, ...more] = words;
    if (tool === undefined) throw missing('tool', 'call');
    return { source: await remoteWord(url), ...given, tool, words: more };
  }
  const [first, second, ...rest] = words;
  if (first === undefined) throw missing('source', 'call');
  if (given.pluginArgs.length > 0 && !(await isSource(first))) {
    return { ...(await ofCommand('call', given)), tool: first, words: words.slice(1) };
  }
  if (given.pluginArgs.length === 0 && isName(first)) {
    const named = await findToolOf(first, given.flags, context);
    if (named !== null) return { source: named[0], ...given, tool: named[1], words: words.slice(1) };
  }
  if (second === undefined) throw missing('tool', 'call');
  return { source: first, ...given, tool: second, words: rest };
}

/** `call time.now`: a plugin that is known, and its tool; null where the whole word is a plugin, or none of it is. */
async function findToolOf(word: string, flags: Flags, context: Pick<CommandContext, 'env' | 'shutdown'>) {
  const splits = splitTool(word);
  if (splits.length === 0 || (await findNamed(word, flags, context)) !== null) return null;
  for (const split of splits) if ((await findNamed(split[0], flags, context)) !== null) return split;
  return null;
}

async function ofCommand(command: string, { flags, pluginArgs }: Given): Promise<Invocation> {
  if (pluginArgs.length === 0) throw missing('source', command);
  const { commandText } = await import('../source.ts');
  return { source: commandText(pluginArgs), flags, pluginArgs: [] };
}

/** As it is typed, without its secrets, for hints. CONFIG_INVALID for a source beside it. */
async function remoteWord(url: string, source?: string): Promise<string> {
  if (source !== undefined) {
    throw supervisorError('CONFIG_INVALID', {
      message: 'Both a source and --url were given.',
      hint: 'Give one of them.',
    });
  }
  const { parseRemote, showSource } = await import('../source.ts');
  return showSource(parseRemote(url).source);
}

async function isSource(word: string): Promise<boolean> {
  const { parseSource } = await import('../source.ts');
  try {
    parseSource(word);
    return true;
  } catch {
    return false;
  }
}

const missing = (argument: string, command: string) =>
  supervisorError('CONFIG_INVALID', {
    message: `Missing required argument '${argument}'.`,
    hint: `See mcp-supervisor ${command} --help.`,
  });
