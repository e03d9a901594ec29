/** Ways to start a Deno project, best first: a task, an export that serves, the usual file names. */

import { type Entries, firstEntries } from '../entries.ts';
import { basename, join, relative } from '../paths.ts';
import type { Candidate, Evidence, FileView, PassedOver } from '../plan.ts';
import { type DenoCommand, parseDenoCommand, permissionsIn } from './command.ts';
import type { DenoProject } from './config.ts';
import { findPermissions } from './permissions.ts';
import { isForDeno, looksLikeServer, runsItself } from './source.ts';

type Kind = 'task' | 'export' | 'file';

export type DenoEntries = Entries<Kind>;

/** A few are enough: each fallback costs a start. */
const MAX_CANDIDATES = 4;

export function findEntries(view: FileView, dir: string, project: DenoProject): DenoEntries {
  const found: { file: string; words: string; candidate: Candidate; kind: Kind; evidence: Evidence[] }[] = [];
  const passedOver: PassedOver[] = [];
  const add = (kind: Kind, id: string, file: string, says: Evidence, command?: DenoCommand) => {
    const words = command?.args.join(' ') ?? '';
    if (found.some((each) => each.file === file && (command === undefined || each.words === words))) return;
    const { candidate, evidence } = candidateOf(view, dir, project, id, file, command);
    found.push({ file, words, candidate, kind, evidence: [says, ...evidence] });
  };

  for (const [name, line] of orderedTasks(project)) {
    const command = followed(project, name);
    const what = `task ${name}: ${line}`;
    const file = 'problem' in command || command.file === null ? null : join(dir, command.file);
    if ('problem' in command) passedOver.push({ file: project.file, what, why: command.problem });
    else if (isAside(name)) passedOver.push({ file: project.file, what, why: 'is not how the server is started' });
    else if (file === null || !view.files.includes(file))
      passedOver.push({ file: project.file, what, why: 'names no file that is there' });
    else add('task', `script:${name}`, file, { file: project.file, says: `task ${name} runs ${file}` }, command);
  }
  for (const file of exportedFiles(view, dir, project)) {
    add('export', `main:${relative(dir, file)}`, file, { file: project.file, says: `exports ${file}` });
  }
  // With a program of its own, other files that serve are parts of it.
  for (const file of found.length > 0 ? [] : usualFiles(view, dir, project)) {
    add('file', `file:${relative(dir, file)}`, file, { file, says: 'looks like a server' });
  }
  const entries = firstEntries(found, MAX_CANDIDATES, passedOver);
  const [first] = entries.candidates;
  return first === undefined
    ? entries
    : { ...entries, candidates: [...entries.candidates, ...withAllPermissions(first)] };
}

/** The task’s command; of `deno task other`, the other’s. */
function followed(
  { tasks }: Pick<DenoProject, 'tasks'>,
  name: string,
  seen: readonly string[] = [],
): ReturnType<typeof parseDenoCommand> {
  const line = tasks.get(name) ?? '';
  const next = /(?:^|&&)\s*deno\s+task\s+(?:-q\s+|--quiet\s+)?([\w:.-]+)\s*$/.exec(line)?.[1];
  if (next === undefined || seen.includes(next)) return parseDenoCommand(line);
  return tasks.has(next) ? followed({ tasks }, next, [...seen, name]) : { problem: `there is no task ${next}` };
}

/** Tasks for those who write the server, or that start something else than it. */
const ASIDE =
  /(^|[:_-])(tests?|lint|fmt|format|check|build|compile|bundle|inspect(or)?|bench(mark)?|coverage|release|publish|version|bump|install|setup|hooks?|clients?|debug|docs?|cache|clean|deploy|generate|gen|example|ci|prep|verify|validate|migrate|seed)($|[:_-])/;

const isAside = (name: string): boolean => ASIDE.test(name);

/** Tasks that run a program, most likely the server first: stdio before HTTP, `start` before others, development last. */
function orderedTasks(project: DenoProject): [name: string, line: string][] {
  const rank = (name: string): number => {
    const command = followed(project, name);
    const words = 'problem' in command ? [] : [...command.args, basename(command.file ?? '')];
    const network = !('problem' in command) && command.verb === 'serve';
    const isHttp = network || /http|sse|web/.test(name) || words.some((word) => /\b(http|sse|streamable)/.test(word));
    const by = /stdio/.test(name)
      ? 0
      : /^(start|serve|server|run|mcp|main)$/.test(name)
        ? 1
        : /mcp|start|run|serve/.test(name)
          ? 2
          : 3;
    return (isAside(name) ? 1000 : 0) + (/\bdev\b|watch/.test(name) ? 100 : 0) + (isHttp ? 10 : 0) + by;
  };
  return [...project.tasks]
    .filter(([, line]) => /\bdeno\s+(run|serve|task|-|[\w./]+\.[mc]?[jt]sx?)/.test(line))
    .map((task, index) => ({ task, index, rank: rank(task[0]) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ task }) => task);
}

function candidateOf(
  view: FileView,
  dir: string,
  project: DenoProject,
  id: string,
  file: string,
  command: DenoCommand | undefined,
): { candidate: Candidate; evidence: Evidence[] } {
  const own = command === undefined ? [] : permissionsIn(command);
  // Whoever sits at a terminal is asked for what a task doesn't grant; nobody sits there.
  const others = own.length > 0 ? null : findPermissions(view, dir, project, file);
  const verb = command?.verb ?? (isHandler(view.read(file)) ? 'serve' : 'run');
  const options = [...(others?.options ?? []), ...(command?.options ?? [])];
  const address = verb === 'serve' ? ['--host', '{host}', '--port', '{port}'] : [];
  const env = command && Object.keys(command.env).length > 0 ? { env: command.env } : {};
  return {
    candidate: {
      id,
      entry: file,
      command: {
        program: 'deno',
        args: [verb, ...options, ...address, relative(dir, file), ...(command?.args ?? [])],
        cwd: dir,
        ...env,
      },
    },
    evidence: others === null ? [{ file: project.file, says: `is allowed ${own.join(' ')}` }] : [others.evidence],
  };
}

/**
 * The same with every permission, for a task that grants too few: whoever sits at a terminal is asked for the others, and
 * nobody sits there. No other runtime asks at all.
 */
function withAllPermissions(candidate: Candidate): Candidate[] {
  const { command } = candidate;
  const options = command.args.filter((word) => /^(-A|--allow-all)$/.test(word));
  if (options.length > 0) return [];
  const [verb = 'run', ...rest] = command.args.filter((word) => !/^(--allow-|-[RWNESI](=|$))/.test(word));
  return [{ ...candidate, id: `${candidate.id}#all`, command: { ...command, args: [verb, '-A', ...rest] } }];
}

/** `export default { fetch }`: a file for `deno serve`, which does nothing by itself. */
const isHandler = (text: string | undefined): boolean =>
  text !== undefined &&
  /\bexport default\s*(\{\s*(async\s+)?fetch\b|\w*app\b)/.test(text) &&
  !/\bDeno\.serve\(|import\.meta\.main/.test(text);

/** Exports that are programs; one that is a library's only hands on what others import. */
function exportedFiles(view: FileView, dir: string, { exports }: DenoProject): string[] {
  const rank = (name: string): number =>
    /stdio/.test(name) ? 0 : /bin|cli|server|main/.test(name) ? 1 : name === '.' ? 2 : 3;
  return [...exports]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([, path]) => join(dir, path))
    .filter((file) => view.files.includes(file) && runsItself(view.read(file) ?? ''));
}

const NAMES = ['main', 'server', 'mcp', 'mcp_server', 'mcp-server', 'cli', 'stdio', 'index', 'mod', 'app'];

/** Files of the usual names, in the folder and below src; only if they serve, or start what does. */
function usualFiles(view: FileView, dir: string, { hasConfig }: DenoProject): string[] {
  const files = ['', 'src', 'bin', 'src/bin'].flatMap((top) =>
    NAMES.flatMap((name) => ['.ts', '.js', '.mts', '.mjs', '.tsx'].map((ending) => join(dir, top, name + ending))),
  );
  return files.filter((file) => {
    const text = view.files.includes(file) ? (view.read(file) ?? '') : null;
    if (text === null || (!hasConfig && !isForDeno(text))) return false;
    return (looksLikeServer(text) && (runsItself(text) || isHandler(text))) || (hasConfig && startsItsOwn(text));
  });
}

/** `main.ts` that imports the server from a file of the project and runs it. */
const startsItsOwn = (text: string): boolean => /\bfrom\s+["']\.\.?\//.test(text) && runsItself(text);
