/** What a Go program wants on its command line, as its own source says: cobra, urfave/cli, kong, flag, or os.Args by hand. */

/** Subcommands that serve MCP, likeliest first. */
const MCP = ['stdio', 'mcp', 'mcp-server', 'mcp-serve', 'serve-mcp', 'serve-stdio', 'mcp-stdio'];
const SERVE = ['serve', 'server'];
/** What these start is sure only where the whole program is about MCP. */
const START = ['start', 'run', 'start-server'];

const HTTP = /^(sse|http|https|streamable-?http|streamable|http-stream|ws|websocket)$/i;

/** Names of the flag that chooses the transport, and the values that it may have. */
const TRANSPORT = /^(transport|transport-type|transport-mode|mcp-transport|mode|t)$/;

/** The words without which the program would not serve over stdio; [] when it does so by itself, or nothing is known. */
export function servingWords(texts: readonly string[], names: readonly string[]): string[] {
  const commands = commandsOf(texts);
  const isMcp = names.some((name) => /mcp/i.test(name));
  const serving = [...MCP, ...SERVE, ...(isMcp ? START : [])];
  const words = subcommand(commands, names, serving) ?? byHand(texts, serving) ?? [];
  return [...words, ...transportFlag(texts)];
}

interface CliCommand {
  readonly name: string;
  /** True when it does something itself; false for one that only holds others. */
  readonly acts: boolean;
  readonly isRoot: boolean;
}

function subcommand(
  commands: readonly CliCommand[],
  names: readonly string[],
  serving: readonly string[],
): string[] | null {
  const root = commands.find(({ isRoot }) => isRoot) ?? commands.find(({ name }) => names.includes(name));
  if (root === undefined) return null;
  const find = (some: readonly string[]) =>
    some.map((name) => commands.find((each) => each !== root && each.name === name)).find((each) => each !== undefined);
  // A program for people that can serve too says so with this name.
  const mcp = find(MCP.slice(1));
  if (root.acts && (mcp === undefined || names.some((name) => /mcp/i.test(name)))) return [];
  const found = root.acts ? mcp : find(serving);
  if (found === undefined) return root.acts ? [] : null;
  if (found.acts) return [found.name];
  const inner = find([...SERVE, ...START, 'stdio']);
  return inner?.acts ? [found.name, inner.name] : null;
}

function commandsOf(texts: readonly string[]): CliCommand[] {
  return texts.flatMap((text) => [...cobra(text), ...urfave(text), ...kong(text)]);
}

function cobra(text: string): CliCommand[] {
  if (!text.includes('cobra.Command{')) return [];
  return [...text.matchAll(/([\w.]*)\s*(?::?=|return)?\s*&?cobra\.Command\{/g)].flatMap(
    ({ 0: head, 1: variable = '', index }) => {
      const own = shallow(text, index + head.length);
      const name = /\bUse:\s*["`](\S+?)["`\s]/.exec(own)?.[1] ?? '';
      const whole = text
        .slice(index, index + LONGEST)
        .split(/cobra\.Command\{/, 2)
        .join('');
      const shows = /\bRunE?:[^{]*\{[^}]*\.(Help|Usage)\(\)/.test(whole);
      const later = variable !== '' && new RegExp(`\\b${variable.replaceAll('.', '\\.')}\\.RunE?\\s*=`).test(text);
      const isRoot =
        /root/i.test(variable) ||
        /func \(?[^\n]*[rR]oot\w*\([^{]*\{[^{}]*$/.test(text.slice(Math.max(0, index - 400), index));
      return [{ name, acts: (/\bRunE?:/.test(own) && !shows) || later, isRoot }];
    },
  );
}

function urfave(text: string): CliCommand[] {
  if (!/urfave\/cli/.test(text)) return [];
  const found: CliCommand[] = [];
  for (const { 0: head, index } of text.matchAll(/([\w.]*)\{\s*(?=Name:)/g)) {
    if (/Flag\{/.test(head)) continue;
    const own = shallow(text, index + head.length);
    const name = /\bName:\s*["`]([\w-]+)["`]/.exec(own)?.[1] ?? '';
    found.push({
      name,
      acts: /\bAction:/.test(own),
      isRoot: /\bCommands:/.test(own) && found.every(({ isRoot }) => !isRoot),
    });
  }
  // Filled in field by field.
  if (/\bcli\.NewApp\(\)/.test(text)) found.unshift({ name: '', acts: /\bapp\.Action\s*=/.test(text), isRoot: true });
  return found;
}

/** Fields of a struct: `Serve ServeCmd `cmd:"" help:"…"``. */
function kong(text: string): CliCommand[] {
  if (!/alecthomas\/kong/.test(text)) return [];
  const fields = [...text.matchAll(/^\s*(\w+)\s+[\w*.{}]+\s+`([^`\n]*\bcmd:"[^`\n]*)`/gm)];
  const commands = fields.map(([, field = '', tags = '']) => ({
    name: /\bname:"([^"]+)"/.exec(tags)?.[1] ?? field.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase(),
    acts: true,
    isRoot: false,
  }));
  const isDefault = fields.some(([, , tags = '']) => /\bdefault:"/.test(tags));
  return commands.length === 0 ? [] : [{ name: '', acts: isDefault, isRoot: true }, ...commands];
}

/** `if len(os.Args) < 2 { usage; exit }`, and then a switch over the words. */
function byHand(texts: readonly string[], serving: readonly string[]): string[] | null {
  for (const text of texts) {
    const end = /len\((?:os\.Args|args|flag\.Args\(\))\)\s*(?:<\s*[12]|==\s*[01])\s*\{([^}]*)\}/.exec(text);
    if (
      end === null ||
      !/os\.Exit|Fatal|[uU]sage|[hH]elp/.test(end[1] ?? '') ||
      /[sS]erve|stdio|Stdio/.test(end[1] ?? '')
    )
      continue;
    const words = new Set(
      [...text.matchAll(/\bcase\s+((?:"[\w-]+"(?:,\s*)?)+):/g)].flatMap(([, list = '']) => list.match(/[\w-]+/g) ?? []),
    );
    const word = serving.find((each) => words.has(each));
    if (word !== undefined) return [word];
  }
  return null;
}

/** A flag whose default is HTTP, where stdio is another of its values. */
function transportFlag(texts: readonly string[]): string[] {
  const defined = texts.flatMap(flagsOf);
  const chosen = defined.find(
    ({ name, value, usage }) =>
      TRANSPORT.test(name) &&
      HTTP.test(value) &&
      (/stdio/i.test(usage) || texts.some((text) => /["`]stdio["`]/.test(text))),
  );
  if (chosen !== undefined) return [chosen.name.length === 1 ? `-${chosen.name}` : `--${chosen.name}`, 'stdio'];
  return defined.some(({ name, kind }) => name === 'stdio' && kind === 'Bool') ? ['--stdio'] : [];
}

export interface Flag {
  readonly name: string;
  readonly kind: 'String' | 'Bool' | 'Int';
  /** As written, without quotes. */
  readonly value: string;
  readonly usage: string;
}

const DEFINED =
  /\.(String|Bool|Int|Uint)(?:16|32|64)?(?:Var)?P?\(\s*(?:&?[\w.[\]]+\s*,\s*)?"([\w-]+)"\s*,\s*(?:"\w?"\s*,\s*)?([^,\n]+?)\s*,\s*([^\n]*)/g;
const LISTED = /\b(String|Bool|Int|Uint)(?:16|32|64)?Flag\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}/g;

/** Flags as `flag`, pflag and urfave/cli define them. */
export function flagsOf(text: string): Flag[] {
  const kindOf = (kind: string): Flag['kind'] => (kind === 'String' || kind === 'Bool' ? kind : 'Int');
  const defined = [...text.matchAll(DEFINED)].map(([, kind = '', name = '', value = '', usage = '']) => ({
    name,
    kind: kindOf(kind),
    value: value.replace(/^["`](.*)["`]$/, '$1'),
    usage,
  }));
  const listed = [...text.matchAll(LISTED)].map(([, kind = '', fields = '']) => ({
    name: /\bName:\s*"([\w-]+)"/.exec(fields)?.[1] ?? '',
    kind: kindOf(kind),
    value: /\bValue:\s*["`]?([^"`,\n]+)/.exec(fields)?.[1] ?? '',
    usage: fields,
  }));
  return [...defined, ...listed].filter(({ name }) => name !== '');
}

const PORT = /^((http|sse|server|mcp|listen|transport)-?)?port$/;
const ADDRESS = /^((http|sse|server|mcp|listen|bind)-?)?(addr|address|listen|bind|http|host-?port)$/;

/** A port of somebody else, or one that serves something else. */
const FOREIGN =
  /\b(database|db|mysql|maria\w*|postgres\w*|redis|mongo\w*|smtp|imap|ssh|debug\w*|metrics|pprof|remote)\b/i;

/** How its flags take a port, as words with placeholders; [] when none does. */
export function portArguments(texts: readonly string[]): string[] {
  const flags = texts.flatMap(flagsOf).filter(({ usage }) => !FOREIGN.test(usage));
  const port = flags.find(({ name, kind }) => PORT.test(name) && kind !== 'Bool');
  if (port !== undefined) return [`--${port.name}`, '{port}'];
  // An address that is empty by default turns HTTP on; one with a port is where it listens anyway.
  const address = flags.find(
    ({ name, kind, value }) => ADDRESS.test(name) && kind === 'String' && /:\d|^"?:"?/.test(value),
  );
  return address === undefined ? [] : [`--${address.name}`, '{host}:{port}'];
}

/** The text of a literal that begins at `from` (behind its brace), without what stands in braces of its own. */
function shallow(text: string, from: number): string {
  let depth = 1;
  let kept = '';
  for (let at = from; at < text.length && at < from + LONGEST; at++) {
    const char = text[at] ?? '';
    if (char === '"' || char === '`') {
      const end = closing(text, at, char);
      if (depth === 1) kept += text.slice(at, end + 1);
      at = end;
    } else if (char === '{') depth++;
    else if (char === '}') {
      depth--;
      if (depth === 0) break;
    } else if (depth === 1) kept += char;
  }
  return kept;
}

/** A command with its whole action; what is longer is cut off. */
const LONGEST = 20_000;

function closing(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at++;
    else if (text[at] === quote) return at;
  }
  return text.length;
}
