/** Ways to start a PHP project, best first: the package's program, one in bin, a framework's command, a file that serves. */

import { type Entries, firstEntries } from '../entries.ts';
import { byIdentity, isHelper } from '../identity.ts';
import { basename, dirname, isBelow, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, Evidence, FileView, PassedOver } from '../plan.ts';
import { findFrameworkCommands } from './frameworks.ts';
import type { PhpProject } from './project.ts';
import { isPhp, isWebEntry, looksLikeServer, runsItself } from './source.ts';

type Kind = 'bin' | 'console' | 'file' | 'web';

export type PhpEntries = Entries<Kind>;

const MAX_CANDIDATES = 5;

/** Errors go to stderr and not between the frames; frames go out at once. */
const OPTIONS = [
  '-d',
  'display_errors=stderr',
  '-d',
  'log_errors=0',
  '-d',
  'html_errors=0',
  '-d',
  'output_buffering=0',
];

export function findEntries(
  view: FileView,
  dir: string,
  project: PhpProject,
  identities: readonly string[],
): PhpEntries {
  const found: { candidate: Candidate; kind: Kind; evidence: Evidence }[] = [];
  const passedOver: PassedOver[] = [];
  const add = (kind: Kind, candidate: Candidate, evidence: Evidence) => {
    const text = JSON.stringify(candidate.command);
    if (!found.some((each) => JSON.stringify(each.candidate.command) === text))
      found.push({ candidate, kind, evidence });
  };
  const run = (id: string, file: string, args: readonly string[] = []): Candidate => ({
    id,
    entry: file,
    command: { program: 'php', args: [...OPTIONS, relative(dir, file), ...args], cwd: dir },
  });

  const isConsole = (file: string) => ['artisan', 'bin/console'].includes(relative(dir, file));
  const own = ordered(
    view,
    project.bin.map((path) => join(dir, path)).filter((file) => view.files.includes(file)),
    identities,
  );
  for (const file of own.servers)
    add('bin', run(`bin:${basename(file)}`, file), { file: project.file, says: `bin is ${file}` });
  for (const { file, args, evidence } of findFrameworkCommands(view, dir, project)) {
    add('console', run(`console:${args[0] ?? ''}`, file, args), evidence);
  }
  const scripts = ordered(
    view,
    scriptsIn(view, dir).filter((file) => !isConsole(file)),
    identities,
  );
  if (own.servers.length === 0) {
    for (const file of scripts.servers) {
      if (serves(view, dir, file))
        add('bin', run(`bin:${basename(file)}`, file), { file, says: 'is a program that serves' });
    }
  }
  for (const file of [...own.helpers, ...(own.servers.length === 0 ? scripts.helpers : [])]) {
    passedOver.push({ file, what: `bin: ${basename(file)}`, why: 'is a helper beside the server by its name' });
  }
  for (const file of found.length > 0 ? [] : serverFiles(view, dir, identities)) {
    if (isWebEntry(view.read(file) ?? '')) continue;
    add('file', run(`file:${relative(dir, file)}`, file), { file, says: 'looks like a server' });
  }
  for (const file of webFiles(view, dir)) {
    if (found.length > 0)
      passedOver.push({ file, what: relative(dir, file), why: 'is for a web server, and there is a program' });
    else add('web', webCandidate(dir, file), { file, says: 'answers the requests of a web server' });
  }
  return firstEntries(found, MAX_CANDIDATES, passedOver);
}

/** Programs, most likely the server first (over stdio before over HTTP), and the helpers among them. */
function ordered(view: FileView, files: readonly string[], identities: readonly string[]) {
  const programs = files.filter((file) => isPhp(file, view.read(file)));
  const byName = new Map(programs.map((file) => [withoutExtension(basename(file)), file]));
  const names = byIdentity([...byName.keys()], identities);
  const helper = (name: string) =>
    isHelper(name, identities) || /(^|[-_])(console|patch|worker|phpunit|phpstan)($|[-_])/.test(name);
  const pick = (some: readonly string[]) => some.flatMap((name) => byName.get(name) ?? []);
  const servers = names.filter((name) => !helper(name));
  const isHttp = (name: string) => /http|sse|web/i.test(name);
  const sorted = [...servers.filter((name) => !isHttp(name)), ...servers.filter(isHttp)];
  return sorted.length > 0
    ? { servers: pick(sorted), helpers: pick(names.filter(helper)) }
    : { servers: pick(names.filter((name) => !/console|patch/.test(name))), helpers: [] };
}

const scriptsIn = (view: FileView, dir: string): string[] =>
  ['bin', 'mcp', 'cli'].flatMap((folder) =>
    view.files.filter((file) => isBelow(file, join(dir, folder)) && dirname(file) === join(dir, folder)),
  );

/** By its own text, or that of the classes that it uses. */
function serves(view: FileView, dir: string, file: string): boolean {
  const text = view.read(file) ?? '';
  if (looksLikeServer(text)) return true;
  const used = [...text.matchAll(/\b(?:use\s+|new\s+\\?|\\)([\w\\]+)/g)].map(
    (match) => (match[1] ?? '').split('\\').at(-1) ?? '',
  );
  return used.some((name) =>
    view.files.some(
      (each) => basename(each) === `${name}.php` && isBelow(each, dir) && looksLikeServer(view.read(each)),
    ),
  );
}

const NAMES = ['server', 'mcp-server', 'mcp_server', 'mcp', 'main', 'index', 'cli', 'app', 'run', 'stdio', 'start'];
const ASIDE =
  /(^|\/)(tests?|examples?|docs?|vendor|benchmarks?|config|database|resources|storage|public|www|web|samples?|\.[^/]+)\/|(Test|Client|client)\.php$|(^|[-_])(http|sse)[-_.]/;

/** Files that serve: named like the project, of the usual names, then `<topic>-server.php`, then any other; at the root first. */
function serverFiles(view: FileView, dir: string, identities: readonly string[]): string[] {
  const wanted = new Set(identities.map((name) => name.toLowerCase()));
  const rank = (file: string): number => {
    const stem = withoutExtension(basename(file)).toLowerCase();
    const usual = NAMES.indexOf(stem);
    const depth = relative(dir, file).split('/').length * 100;
    if (wanted.has(stem)) return depth;
    return depth + (usual >= 0 ? 1 + usual : /server|mcp/.test(stem) ? 20 : 50);
  };
  return view.files
    .filter(
      (file) =>
        file.endsWith('.php') &&
        isBelow(file, dir) &&
        relative(dir, file).split('/').length <= 3 &&
        !ASIDE.test(relative(dir, file)),
    )
    .filter((file) => {
      const text = view.read(file) ?? '';
      return (
        runsItself(text) &&
        (looksLikeServer(text) || (NAMES.includes(withoutExtension(basename(file))) && serves(view, dir, file)))
      );
    })
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function webFiles(view: FileView, dir: string): string[] {
  const names = [
    'public/index.php',
    'public/mcp.php',
    'index.php',
    'mcp.php',
    'server.php',
    'www/index.php',
    'web/index.php',
  ];
  return names
    .map((name) => join(dir, name))
    .filter((file) => {
      const text = view.files.includes(file) ? (view.read(file) ?? '') : '';
      return isWebEntry(text) && serves(view, dir, file);
    });
}

/** PHP's own web server, with a few workers: an event stream holds one of them. */
const webCandidate = (dir: string, file: string): Candidate => ({
  id: `web:${relative(dir, file)}`,
  entry: file,
  command: {
    program: 'php',
    args: [...OPTIONS, '-S', '{host}:{port}', relative(dir, file)],
    cwd: dir,
    env: { PHP_CLI_SERVER_WORKERS: '4' },
  },
});
