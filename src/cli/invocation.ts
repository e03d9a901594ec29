/** Which of the words are the source: the first one, or, where there is none, the command behind `--`. */

import { supervisorError } from '../errors.ts';
import type { CallInvocation } from './call.ts';
import type { Invocation } from './options.ts';

/** What stood beside a command's own words; `pluginArgs` behind `--`. */
type Given = Pick<Invocation, 'flags' | 'pluginArgs'>;

/** `tools ./x -- args`, and `tools -- node server.js`. CONFIG_INVALID without either. */
export async function toInvocation(command: string, source: string | undefined, given: Given): Promise<Invocation> {
  if (source !== undefined) return { source, ...given };
  return ofCommand(command, given);
}

/** `call ./x tool a=1`, and `call tool a=1 -- node server.js`: a tool's name is no source. */
export async function toCallInvocation(words: readonly string[], given: Given): Promise<CallInvocation> {
  const [first, second, ...rest] = words;
  if (first === undefined) throw missing('source', 'call');
  if (given.pluginArgs.length > 0 && !(await isSource(first))) {
    return { ...(await ofCommand('call', given)), tool: first, words: words.slice(1) };
  }
  if (second === undefined) throw missing('tool', 'call');
  return { source: first, ...given, tool: second, words: rest };
}

async function ofCommand(command: string, { flags, pluginArgs }: Given): Promise<Invocation> {
  if (pluginArgs.length === 0) throw missing('source', command);
  const { commandText } = await import('../source.ts');
  return { source: commandText(pluginArgs), flags, pluginArgs: [] };
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
