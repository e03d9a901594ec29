import { splitCommand } from '../words.ts';

/** What one line makes Deno do. */
export interface DenoCommand {
  readonly verb: 'run' | 'serve';
  /** Options of Deno itself, before the file: permissions first of all. */
  readonly options: readonly string[];
  /** As written, relative to the config file; null in lines that only give options (a shebang). */
  readonly file: string | null;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Options that take their value as the next word. */
const WITH_VALUE = new Set([
  '-c',
  '--config',
  '--import-map',
  '--lock',
  '--cert',
  '--ext',
  '--location',
  '--seed',
  '-L',
  '--log-level',
  '--preload',
  '--port',
  '--host',
]);

/** Options for those who write the server, or that name a file or a port of their machine. */
const LEFT_OUT =
  /^(--(watch|watch-hmr|watch-exclude|hmr|inspect|inspect-brk|inspect-wait|env|env-file|reload|cached-only|frozen|lock-write|parallel|open|port|host|no-prompt|quiet)(=.*)?|-[qr])$/;

/**
 * Parses `[NAME=value …] deno [run|serve] [options] FILE [args]`, also as the last of several commands (`deno fmt && deno
 * run main.ts`). A problem in a word or two for everything else; a task that calls another one is followed by the caller.
 */
export function parseDenoCommand(line: string): DenoCommand | { readonly problem: string } {
  const split = splitCommand(line.split('&&').at(-1) ?? '');
  if (!split.ok) return { problem: split.problem };
  const words = [...split.words];
  const env: Record<string, string> = {};
  for (let match = assignment(words[0]); match !== null; match = assignment(words[0])) {
    env[match[1] ?? ''] = match[2] ?? '';
    words.shift();
  }
  if (words.shift() !== 'deno') return { problem: 'is no call of deno' };
  while (/^(-q|--quiet|--unstable[\w-]*)$/.test(words[0] ?? '')) words.shift();
  const [verb] = words;
  // `deno main.ts` and `deno -A main.ts` run the file.
  if (verb === 'run' || verb === 'serve') words.shift();
  else if (verb !== undefined && !/^-|[./]/.test(verb)) return { problem: `calls deno ${verb}` };
  const options: string[] = [];
  while (words[0]?.startsWith('-') && words[0] !== '-' && words[0] !== '--') {
    const option = words.shift() ?? '';
    const value = WITH_VALUE.has(option) ? [words.shift() ?? ''] : [];
    if (!LEFT_OUT.test(option)) options.push(option, ...value);
  }
  const file = words.shift() ?? null;
  return { verb: verb === 'serve' ? 'serve' : 'run', options, file, args: words, env };
}

const assignment = (word: string | undefined) => /^([A-Za-z_]\w*)=(.*)$/s.exec(word ?? '');

/** The options that grant something, in a command's order. */
export const permissionsIn = ({ options }: DenoCommand): string[] =>
  options.filter((option) =>
    /^(-A|-[RWNESI]+(=.*)?|--(allow|deny)-[\w-]+(=.*)?|-P(=.*)?|--permission-set(=.*)?)$/.test(option),
  );
