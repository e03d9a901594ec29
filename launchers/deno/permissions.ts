/** What a program may do, where its own task doesn't say: as its shebang, another task, its README or its Dockerfile runs it. */

import { basename, join, upwards } from '../paths.ts';
import type { Evidence, FileView } from '../plan.ts';
import { parseDenoCommand, permissionsIn } from './command.ts';
import type { DenoProject } from './config.ts';
import { shebangOf } from './source.ts';

export interface Permissions {
  /** `--allow-net`, `-A` …; never empty. */
  readonly options: readonly string[];
  readonly evidence: Evidence;
}

/** The permissions of a file; all of them, said so, when nothing names any. */
export function findPermissions(view: FileView, dir: string, project: DenoProject, file: string): Permissions {
  for (const { line, at, says } of callsOf(view, dir, project, file)) {
    const command = parseDenoCommand(line);
    if ('problem' in command) continue;
    const options = permissionsIn(command);
    if (options.length > 0) return { options, evidence: { file: at, says: `${says} ${options.join(' ')}` } };
  }
  return { options: ['-A'], evidence: { file, says: 'nothing names its permissions: all are allowed (-A)' } };
}

interface Call {
  readonly line: string;
  readonly at: string;
  readonly says: string;
}

function* callsOf(view: FileView, dir: string, project: DenoProject, file: string): Generator<Call> {
  const shebang = shebangOf(view.read(file));
  if (shebang !== null) yield { line: shebang, at: file, says: 'its first line allows' };
  const name = basename(file);
  const names = (line: string) => line.split(/["'`\s,]+/).some((word) => basename(word.replaceAll('\\', '/')) === name);
  for (const [task, line] of project.tasks) {
    if (/\bdeno\s+(run|serve)\b/.test(line) && names(line))
      yield { line, at: project.file, says: `task ${task} allows` };
  }
  for (const path of ['README.md', 'readme.md', 'Dockerfile', 'smithery.yaml'].map((each) => join(dir, each))) {
    const calls = denoCalls(view.read(path) ?? '');
    // The published program (`jsr:@scope/name`) is this one too, where only one is published.
    const own = calls.find(names) ?? calls.find((line) => /\bjsr:|https:\/\//.test(line));
    if (own !== undefined) yield { line: own, at: path, says: 'runs it with' };
  }
  for (const root of upwards(dir).slice(1)) {
    const path = join(root, 'README.md');
    const own = denoCalls(view.read(path) ?? '').find(names);
    if (own !== undefined) yield { line: own, at: path, says: 'runs it with' };
  }
}

/** `deno run …` of shell lines, and `"command": "deno", "args": ["run", …]` of configurations, as lines. */
function denoCalls(text: string): string[] {
  const shell = [...text.matchAll(/(?:^|[\s`$>])(deno\s+(?:run|serve|install|-A)\s[^\n`|;&]*)/gm)].map(
    (match) => match[1] ?? '',
  );
  const lists = [...text.matchAll(/\[([^\][]*["'](?:run|serve)["'][^\][]*)\]/g)].map(([, list = '']) =>
    [...list.matchAll(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/g)].map(([, a, b]) => a ?? b ?? ''),
  );
  const listed = lists.flatMap((words) => {
    const at = words.findIndex((word) => word === 'run' || word === 'serve');
    return at < 0 ? [] : [`deno ${words.slice(at).map(quoted).join(' ')}`];
  });
  // `deno install -gA --name x file` grants what the installed program will have.
  return [
    ...listed,
    ...shell.map((line) =>
      line
        .replace(/^deno\s+install\b/, 'deno run')
        .replaceAll(/\s-g(?=[A-Za-z\s])|\s--(?:global|force|name[= ]\S+)|\s-[nf]\s+\S+/g, ' '),
    ),
  ];
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", '')}'`);
