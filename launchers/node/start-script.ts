/** What the scripts of a package that start it run, read as commands: never through a package manager or a shell. */

import { splitCommand } from '../words.ts';

/** What a start script runs, when it is one simple command. */
export interface StartScript {
  readonly program: 'node' | 'bun' | 'tsx' | 'ts-node';
  /** Options of the program itself, before the file. */
  readonly options: readonly string[];
  /** As written, relative to the package; '.' is the package's `main`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A script by its name. */
export interface NamedScript {
  readonly name: string;
  readonly script: StartScript;
}

/** Runners that show a page, need an account, or start something else than the program. */
const ELSEWHERE =
  /\b(wrangler|vite(?!-node)|next|nuxt|turbo|concurrently|inspector|mcp-inspector|pm2|forever|electron|docker|jest|vitest|mocha)\b/;

/** Runners that watch and restart: for those who write the server, not for those who use it. */
const WATCHES = /\b(nodemon|ts-node-dev|tsx\s+watch)\b|--watch|\btsc\s+-w/;

/** Options of node that take their value as the next word. */
const WITH_VALUE = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions']);
/** Those of tsx and ts-node too. */
const WITH_FILE = new Set(['--tsconfig', '-P', '--project', '--cwd']);

/** Options that name a file of the author's machine, or hold a port open for a debugger. */
const LEFT_OUT = /^--(env-file|env-file-if-exists|inspect|inspect-brk|inspect-wait|watch-path)(=|$)/;

const PROGRAMS = /^(node|bun|tsx|ts-node|ts-node-esm)$/;

/**
 * Parses `[NAME=value …] node|bun|tsx|ts-node [options] FILE [args]`, also behind `npx`, and as the last of
 * `tsc && node dist/x.js` (a build goes before a start anyway). Null for everything else.
 */
export function parseStartScript(script: string): StartScript | null {
  return WATCHES.test(lastOf(script)) ? null : parse(script);
}

/** What runs to the end stands before it. */
const lastOf = (script: string): string => script.split('&&').at(-1)?.trim() ?? '';

/** Why a script is no start, for people. */
export const whyNoStart = (script: string): string =>
  WATCHES.test(script)
    ? 'is a watcher for development'
    : ELSEWHERE.test(script)
      ? 'starts another program than this one'
      : 'is not one plain node, bun or tsx command';

function parse(script: string): StartScript | null {
  const last = lastOf(script);
  if (ELSEWHERE.test(last)) return null;
  const split = splitCommand(last);
  if (!split.ok) return null;
  const words = [...split.words];
  const env: Record<string, string> = {};
  for (;;) {
    const match = assignment(words[0]);
    if (match !== null) env[match[1] ?? ''] = match[2] ?? '';
    else if (!/^(cross-env|env|exec|npx|bunx|--yes|-y|dotenv|dotenvx|--)$/.test(words[0] ?? '')) break;
    words.shift();
  }
  const found = words.shift() ?? '';
  if (!PROGRAMS.test(found)) return null;
  const program = found === 'ts-node-esm' ? 'ts-node' : (found as StartScript['program']);
  if (program === 'bun' && words[0] === 'run') words.shift();
  const options: string[] = [];
  while (words[0]?.startsWith('-')) {
    const option = words.shift() ?? '';
    const value = WITH_VALUE.has(option) || WITH_FILE.has(option) ? words.shift() : undefined;
    if (/^(-e|--eval|-p|--print|--test|--run|--check)$/.test(option) && program === 'node') return null;
    // `--env-file .env`: the file is not in git, and node ends without it.
    if (LEFT_OUT.test(option)) {
      if (!option.includes('=') && option.startsWith('--env-file')) words.shift();
      continue;
    }
    options.push(option, ...(value === undefined ? [] : [value]));
  }
  const file = words.shift();
  // `bun start`, `bun run dev`: the name of another script. Node looks for `index` itself.
  if (file === undefined || (program === 'bun' && !/[./]/.test(file))) return null;
  return { program, options, file, args: words, env };
}

const assignment = (word: string | undefined) => /^([A-Za-z_]\w*)=(.*)$/s.exec(word ?? '');

/** Names by which authors call the script that starts their server, surest first. */
const STARTS = [
  'start:stdio',
  'stdio',
  'start',
  'start:mcp',
  'mcp',
  'mcp:start',
  'start:server',
  'server',
  'serve',
  'start:prod',
  'start:production',
  'start:node',
  'start:http',
  'start:sse',
  'http',
  'local',
];

/** The scripts that start the program, best first; `start: npm run serve` is what serve runs. */
export function startScripts(scripts: Readonly<Record<string, string>>): NamedScript[] {
  return STARTS.flatMap((name) => {
    const script = follow(scripts, name, parseStartScript);
    return script === null ? [] : [{ name, script }];
  });
}

/** What those who write the server run, without the watching: the last resort. */
export function developmentScripts(scripts: Readonly<Record<string, string>>): NamedScript[] {
  return ['start', 'dev:stdio', 'dev', 'start:dev', 'develop', 'dev:server'].flatMap((name) => {
    const script = follow(scripts, name, (text) => parse(withoutWatching(text)));
    return script === null ? [] : [{ name, script }];
  });
}

/** A command line from elsewhere, which may run one of the scripts. */
export const scriptOf = (scripts: Readonly<Record<string, string>>, line: string): StartScript | null =>
  line === '' ? null : follow({ ...scripts, '': line }, '', parseStartScript);

/** Two steps are enough for `start` → `start:prod` → `serve`. */
function follow(
  scripts: Readonly<Record<string, string>>,
  name: string,
  read: (script: string) => StartScript | null,
  steps = 2,
): StartScript | null {
  const text = scripts[name];
  if (text === undefined) return null;
  const next = /^\s*(?:npm|pnpm|yarn|bun)\s+(?:run\s+|run-script\s+)?(?:-s\s+|--silent\s+)?([\w:.-]+)\s*$/.exec(
    lastOf(text),
  )?.[1];
  if (next !== undefined && next !== name && steps > 0) return follow(scripts, next, read, steps - 1);
  return read(text);
}

/** `nodemon --watch src --exec "tsx src/index.ts"` → `tsx src/index.ts`; `tsx watch x.ts` → `tsx x.ts`. */
function withoutWatching(script: string): string {
  const last = lastOf(script);
  if (/^(npx\s+)?nodemon\b/.test(last)) {
    const executed = /(?:--exec|-x)[= ]+(?:"([^"]+)"|'([^']+)'|(.+))$/.exec(last);
    if (executed !== null) return executed[1] ?? executed[2] ?? executed[3] ?? '';
    const file = last.split(/\s+/).findLast((word) => /\.[cm]?[jt]s$/.test(word)) ?? '';
    return `${/ts$/.test(file) ? 'ts-node' : 'node'} ${file}`;
  }
  return last
    .replace(/\btsx\s+watch\b/, 'tsx')
    .replace(/\bts-node-dev\b/, 'ts-node')
    .replaceAll(
      /\s--(watch\S*|clear-screen=\S+|hot|respawn|transpile-only|exit-child|clear|poll|notify=\S+)(?=\s|$)/g,
      '',
    );
}
