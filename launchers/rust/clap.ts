/** What a program's command line wants, as its use of clap says: the command that serves, the option that takes a port. */

import { isBelow } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { sourceFiles } from '../settings.ts';

/** Names of commands that serve, likeliest first. */
const SERVING = [
  'mcp',
  'stdio',
  'mcp-server',
  'mcp-stdio',
  'serve',
  'serve-mcp',
  'serve-stdio',
  'server',
  'start',
  'run',
];

/** Variant of an enum of commands. */
interface Variant {
  readonly name: string;
  /** Type that it carries, '' for none. */
  readonly type: string;
}

/**
 * The words without which a program would not serve: its command that does, when it can't be started without a command;
 * else its switch for MCP or stdio. [] when it has neither.
 */
export function servingWords(view: FileView, dir: string): readonly string[] {
  const texts = rustSources(view, dir);
  const command = requiredCommand(texts);
  return command.length > 0 ? command : servingSwitch(texts);
}

function requiredCommand(texts: readonly string[]): readonly string[] {
  const enums = new Map(texts.flatMap(commandsIn));
  const types = new Set(texts.flatMap(requiredCommands));
  const [only, ...more] = types;
  if (only !== undefined && more.length === 0) return wordsOf(only, enums, 0);
  // Without derives: commands are made and asked for by methods.
  const built = texts.filter((text) => /\.(?:subcommand_required|arg_required_else_help)\(true\)/.test(text));
  const names = built.flatMap((text) => [...text.matchAll(/\bCommand::new\(\s*"([^"]+)"/g)].map((match) => match[1]));
  const name = SERVING.find((each) => names.includes(each));
  return name === undefined ? [] : [name];
}

const SUBCOMMAND_FIELD =
  /#\[(?:command|clap)\(\s*subcommand\s*\)\]\s*(?:\/\/[^\n]*\s*)*(?:pub(?:\([^)]*\))?\s+)?\w+:\s*(?:(Option)<\s*)?(?:\w+::)*(\w+)\s*>?\s*[,}]/g;

/** Enums of commands of structs that `Parser` is derived for, where none given means that help is shown. */
function requiredCommands(text: string): string[] {
  return [...text.matchAll(SUBCOMMAND_FIELD)]
    .filter(({ index, 1: optional }) => {
      const before = text.slice(0, index);
      // Commands of commands are found through their type.
      const owner = /#\[derive\([^)]*\bParser\b[^)]*\)\](?:(?!#\[derive)[\s\S])*$/.exec(before)?.[0];
      if (owner === undefined) return false;
      const showsHelp = /arg_required_else_help\s*=\s*true/.test(owner) || /\bprint_(?:long_)?help\(/.test(text);
      return optional === undefined || showsHelp;
    })
    .map((match) => match[2] ?? '');
}

/** `--mcp` or `--stdio` of a field that is true or false. */
function servingSwitch(texts: readonly string[]): readonly string[] {
  const names = new Set(
    texts.flatMap((text) =>
      [
        ...text.matchAll(
          /#\[(?:arg|clap)\(([^\]]*\blong\b[^\]]*)\)\]\s*(?:\/\/[^\n]*\s*)*(?:pub(?:\([^)]*\))?\s+)?(\w+):\s*bool\b/g,
        ),
      ].map(([, attributes = '', field = '']) => /\blong\s*=\s*"([^"]+)"/.exec(attributes)?.[1] ?? kebab(field)),
    ),
  );
  const name = ['stdio', 'mcp', 'mcp-server', 'mcp-stdio'].find((each) => names.has(each));
  return name === undefined ? [] : [`--${name}`];
}

/** `mcp`; `serve mcp` where a command has commands of its own. [] when none of them serves. */
function wordsOf(type: string, enums: ReadonlyMap<string, readonly Variant[]>, depth: number): readonly string[] {
  const variants = enums.get(type) ?? [];
  const name = SERVING.find((each) => variants.some((variant) => variant.name === each));
  const variant = variants.find((each) => each.name === name);
  if (variant === undefined || depth > 2) return [];
  return [variant.name, ...wordsOf(variant.type, enums, depth + 1)];
}

/** Enums that `Subcommand` is derived for. */
function commandsIn(text: string): [string, readonly Variant[]][] {
  return [
    ...text.matchAll(
      /#\[derive\([^)]*\bSubcommand\b[^)]*\)\](?:\s*#\[[^\]]*\])*\s*(?:pub(?:\([^)]*\))?\s+)?enum\s+(\w+)\s*\{/g,
    ),
  ].map((match) => [match[1] ?? '', variantsIn(bodyAt(text, match.index + match[0].length))]);
}

/** Up to the brace that closes what is open at `from`. */
function bodyAt(text: string, from: number): string {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return text.slice(from, at);
  }
  return text.slice(from);
}

function variantsIn(body: string): Variant[] {
  // Comments and what is inside of variants would look like variants.
  const bare = body.replaceAll(/\/\/[^\n]*/g, '').replaceAll(/\{(?:[^{}]|\{[^{}]*\})*\}/g, '');
  return [...bare.matchAll(/((?:#\[[^\]]*\]\s*)*)\b([A-Z]\w*)\s*(?:\(\s*(?:Box<\s*)?([\w:]*)[^)]*\))?\s*(?:,|$)/g)].map(
    ([, attributes = '', variant = '', type = '']) => ({
      name: /\bname\s*=\s*"([^"]+)"/.exec(attributes)?.[1] ?? kebab(variant),
      type: type.split('::').at(-1) ?? '',
    }),
  );
}

/** As clap writes variants and fields (heck): `McpServer` and `mcp_server` → `mcp-server`, `MCP` → `mcp`. */
export const kebab = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** `--port` where the program has an option of that name or one that ends so; null when it has none or several. */
export function portOption(view: FileView, dir: string): string | null {
  const found = new Set(
    rustSources(view, dir).flatMap((text) =>
      [
        ...text.matchAll(
          /#\[(?:arg|clap)\(([^\]]*\blong\b[^\]]*)\)\]\s*(?:\/\/[^\n]*\s*)*(?:pub(?:\([^)]*\))?\s+)?((?:\w+_)?port):\s*(?:Option<\s*)?u16/g,
        ),
      ].map(([, attributes = '', field = '']) => /\blong\s*=\s*"([^"]+)"/.exec(attributes)?.[1] ?? kebab(field)),
    ),
  );
  const [only, ...more] = found.has('port') ? ['port'] : found;
  return only === undefined || more.length > 0 ? null : `--${only}`;
}

const rustSources = (view: FileView, dir: string): string[] =>
  sourceFiles(view, dir)
    .filter((file) => file.endsWith('.rs') && isBelow(file, dir))
    .flatMap((file) => view.read(file) ?? []);
