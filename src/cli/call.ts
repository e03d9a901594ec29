import type { ToolDescription } from '../../actors/context.ts';
import { closest } from '../closest.ts';
import { supervisorError } from '../errors.ts';
import type { ToolResult } from '../options.ts';
import { printable } from '../printable.ts';
import { mergeArguments, parseObject, readArguments, requireObject } from './arguments.ts';
import { EXIT } from './exit-codes.ts';
import { toJson } from './json.ts';
import type { Invocation } from './options.ts';
import { answerAsText, resultAsText } from './render-result.ts';
import { isDescribed, signature } from './schema.ts';
import type { CommandContext } from './session.ts';
import { openTarget } from './target.ts';
import { shown } from './terminal.ts';

export interface CallInvocation extends Invocation {
  /** Name of a tool, or the whole payload when it starts with `{`. */
  readonly tool: string;
  readonly words: readonly string[];
}

/** What is to be called, as far as it is known before the plugin runs. */
type Wanted =
  | { readonly kind: 'payload'; readonly payload: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'tool';
      readonly tool: string;
      readonly argumentsOf: (tool: ToolDescription | undefined) => Readonly<Record<string, unknown>>;
    };

/** Calls one tool and prints its result; exit code 4 when the tool says that it failed. */
export async function call(invocation: CallInvocation, context: CommandContext): Promise<number> {
  // Read first: a typing error in the arguments must not cost an install.
  const wanted = await readWanted(invocation, context);
  const target = await openTarget(invocation, context);
  const { label, progress } = target;

  let tools = await target.tools();
  const isPlain = target.isPlain();
  // What is known may be from before an update.
  if (wanted.kind === 'tool' && !isPlain && !tools.some(({ name }) => name === wanted.tool))
    tools = await target.tools(true);
  const payload = toPayload(wanted, tools, isPlain && !tools.some(isDescribed) ? null : label);
  const tool = tools.find((each) => each.name === payload.tool);
  if (tool !== undefined) await checkArguments(tool, payload.arguments as Readonly<Record<string, unknown>>);

  const what = wanted.kind === 'tool' ? `calling ${wanted.tool}` : 'calling it';
  progress.activity(what);
  const answer = await target.call(payload, (progressed) => progress.activity(`${what}${showProgressed(progressed)}`));
  progress.end();
  const isTool = isPlain ? tool !== undefined : typeof payload.tool === 'string' || payload.method === 'tools/call';
  return print(answer, isTool, invocation, context);
}

async function readWanted({ tool, words }: CallInvocation, { terminal }: CommandContext): Promise<Wanted> {
  if (tool.trimStart().startsWith('{')) {
    if (words.length > 0) {
      throw supervisorError('CALL_BAD_ARGUMENTS', {
        message: `'${words[0]}' can't follow a payload.`,
        hint: 'Put it into the payload, or name a tool first.',
      });
    }
    const payload = parseObject(tool, 'the payload');
    if (typeof payload.tool !== 'string') return { kind: 'payload', payload };
    const given = requireObject(payload.arguments ?? {}, "the payload's arguments");
    return { kind: 'tool', tool: payload.tool, argumentsOf: () => given };
  }
  const given = await readArguments(words, () => terminal.readStdin());
  return {
    kind: 'tool',
    tool,
    argumentsOf: (description) => mergeArguments(given, description?.inputSchema, description && usage(description)),
  };
}

/** `listedBy` is null for a plain HTTP plugin that has no list that a tool could be missing from. */
function toPayload(wanted: Wanted, tools: readonly ToolDescription[], listedBy: string | null) {
  if (wanted.kind === 'payload') return wanted.payload;
  const tool = tools.find((each) => each.name === wanted.tool);
  if (tool === undefined && listedBy !== null) throw unknownTool(wanted.tool, listedBy, tools);
  return { tool: wanted.tool, arguments: wanted.argumentsOf(tool) };
}

function unknownTool(wanted: string, label: string, tools: readonly ToolDescription[]) {
  const names = tools.map(({ name }) => name);
  const near = closest(wanted, names);
  const all = `It has ${names.slice(0, 30).join(', ')}${names.length > 30 ? ` and ${names.length - 30} more` : ''}.`;
  const known =
    names.length === 0 ? 'It lists no tools at all; some servers list none until a key is set: --env NAME=value.' : all;
  return supervisorError('CALL_UNKNOWN_TOOL', {
    message: `${label} has no tool '${wanted}'.`,
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : known,
    data: { closest: near, tools: names },
  });
}

const usage = (tool: ToolDescription) => `It takes: ${signature(tool)}`;

async function checkArguments(tool: ToolDescription, given: Readonly<Record<string, unknown>>): Promise<void> {
  const { findProblems, showProblem } = await import('./validate.ts');
  const problems = await findProblems(tool.inputSchema, given);
  if (problems.length === 0) return;
  throw supervisorError('CALL_BAD_ARGUMENTS', {
    message: problems.map(showProblem).join('\n'),
    hint: usage(tool),
    data: { tool: tool.name, problems },
  });
}

async function print(
  answer: unknown,
  isTool: boolean,
  { flags }: CallInvocation,
  { terminal }: CommandContext,
): Promise<number> {
  const { stdout, stderr } = terminal;
  const isError = isTool && (answer as ToolResult | null)?.isError === true;
  if (flags.json === true) await stdout.write(`${toJson(answer, stdout.isTerminal)}\n`);
  else if (isError) {
    // Between other lines of a terminal it must be told apart; in a pipe it is the tool's own words alone.
    const mark = stderr.isTerminal ? `${stderr.style.red('✗')} ` : '';
    await stderr.write(mark + printable(resultAsText(answer as ToolResult) || 'The tool failed without a word.\n'));
  } else await stdout.write(shown(stdout, isTool ? resultAsText(answer as ToolResult) : answerAsText(answer)));
  return isError ? EXIT.toolError : EXIT.ok;
}

/** ` 40 % reading` from an MCP progress notification's params. */
function showProgressed(progressed: unknown): string {
  const { progress, total, message } = (progressed ?? {}) as Record<string, unknown>;
  const share =
    typeof progress === 'number' && typeof total === 'number' && total > 0
      ? ` ${Math.round((progress / total) * 100)} %`
      : '';
  return `${share}${typeof message === 'string' && message !== '' ? ` ${message}` : ''}`;
}
