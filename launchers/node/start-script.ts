import { splitCommand } from '../words.ts';

/** What a start script runs, when it is one simple command. */
export interface StartScript {
  readonly program: 'node' | 'bun' | 'tsx';
  /** Options of the program itself, before the file. */
  readonly options: readonly string[];
  /** As written, relative to the package. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Runners that watch, restart or show a page: for those who write the server, not for those who use it. */
const DEVELOPMENT =
  /\b(nodemon|ts-node-dev|tsx\s+watch|wrangler|vite|next|nuxt|turbo|concurrently|inspector|pm2|forever)\b|--watch|\btsc\s+-w/;

/** Options of node that take their value as the next word. */
const WITH_VALUE = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions']);

/** Options that name a file of the author's machine, or hold a port open for a debugger. */
const LEFT_OUT = /^--(env-file|env-file-if-exists|inspect|inspect-brk|inspect-wait|watch-path)(=|$)/;

/**
 * Parses `[NAME=value …] node|bun|tsx [options] FILE [args]`, also as the last of `tsc && node dist/x.js` (a build goes
 * before a start anyway). Null for everything else: it is never run through a package manager or a shell.
 */
export function parseStartScript(script: string): StartScript | null {
  if (DEVELOPMENT.test(script)) return null;
  const split = splitCommand(script.split('&&').at(-1) ?? '');
  if (!split.ok) return null;
  const words = [...split.words];
  const env: Record<string, string> = {};
  if (words[0] === 'cross-env') words.shift();
  for (let match = assignment(words[0]); match !== null; match = assignment(words[0])) {
    env[match[1] ?? ''] = match[2] ?? '';
    words.shift();
  }
  const program = words.shift();
  if (program !== 'node' && program !== 'bun' && program !== 'tsx') return null;
  if (program === 'bun' && words[0] === 'run') words.shift();
  const options: string[] = [];
  while (words[0]?.startsWith('-')) {
    const option = words.shift() ?? '';
    const value = WITH_VALUE.has(option) ? words.shift() : undefined;
    if (/^(-e|--eval|-p|--print|--test|--run|--check)$/.test(option)) return null;
    // `--env-file .env`: the file is not in git, and node ends without it.
    if (LEFT_OUT.test(option)) {
      if (!option.includes('=') && option.startsWith('--env-file')) words.shift();
      continue;
    }
    options.push(option, ...(value === undefined ? [] : [value]));
  }
  const file = words.shift();
  // `bun start`, `bun run dev`: the name of another script.
  if (file === undefined || !/[./]/.test(file)) return null;
  return { program, options, file, args: words, env };
}

const assignment = (word: string | undefined) => /^([A-Za-z_]\w*)=(.*)$/s.exec(word ?? '');
