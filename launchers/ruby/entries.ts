/** Ways to start a Ruby project, best first: a program of the gem, one in bin, a file that serves, a rack application. */

import { type Entries, firstEntries } from '../entries.ts';
import { byIdentity, isHelper } from '../identity.ts';
import { basename, isBelow, join, relative, withoutExtension } from '../paths.ts';
import type { Candidate, Evidence, FileView, PassedOver } from '../plan.ts';
import { GEMS, type RubyProject } from './project.ts';
import { inlineGems, isRuby, looksLikeServer, runsItself } from './source.ts';

type Kind = 'executable' | 'file' | 'rack';

export type RubyEntries = Entries<Kind>;

const MAX_CANDIDATES = 5;

export function findEntries(
  view: FileView,
  dir: string,
  project: RubyProject,
  identities: readonly string[],
): RubyEntries {
  const found: { candidate: Candidate; kind: Kind; evidence: Evidence }[] = [];
  const passedOver: PassedOver[] = [];
  const add = (kind: Kind, candidate: Candidate, evidence: Evidence) => {
    if (!found.some((each) => each.candidate.entry === candidate.entry)) found.push({ candidate, kind, evidence });
  };
  const runFile = (id: string, file: string): Candidate => ({
    id,
    entry: file,
    command: commandOf(view, dir, project, file),
  });

  const gem = split(view, project.executables, identities);
  for (const file of gem.servers)
    add('executable', runFile(`bin:${basename(file)}`, file), { file: project.file, says: `its program is ${file}` });
  const scripts = split(view, scriptsIn(view, dir), identities);
  // With programs of its own, what else lies in bin is for those who write it.
  if (gem.servers.length === 0) {
    for (const file of scripts.servers) {
      if (servesAtAll(view, dir, file))
        add('executable', runFile(`bin:${basename(file)}`, file), { file, says: 'is a program that serves' });
    }
  }
  for (const file of [...gem.helpers, ...(gem.servers.length === 0 ? scripts.helpers : [])]) {
    passedOver.push({ file, what: `bin: ${basename(file)}`, why: 'is a helper beside the server by its name' });
  }
  for (const file of found.length > 0 ? [] : serverFiles(view, dir, identities)) {
    add('file', runFile(`file:${relative(dir, file)}`, file), { file, says: 'looks like a server' });
  }
  const rackup = join(dir, 'config.ru');
  if (view.files.includes(rackup)) {
    if (found.length === 0)
      add('rack', rackCandidate(dir, project, rackup), { file: rackup, says: 'is a rack application' });
    else passedOver.push({ file: rackup, what: 'config.ru', why: 'has a program of its own beside it' });
  }
  return firstEntries(found, MAX_CANDIDATES, passedOver);
}

/** Programs, most likely the server first, and the helpers among them. */
function split(view: FileView, files: readonly string[], identities: readonly string[]) {
  const programs = files.filter((file) => isRuby(file, view.read(file)));
  const byName = new Map(programs.map((file) => [withoutExtension(basename(file)), file]));
  const names = byIdentity([...byName.keys()], identities);
  const helper = (name: string) => isHelper(name, identities);
  const pick = (some: readonly string[]) => some.flatMap((name) => byName.get(name) ?? []);
  const servers = names.filter((name) => !helper(name));
  return servers.length > 0
    ? { servers: pick(servers), helpers: pick(names.filter(helper)) }
    : { servers: pick(names), helpers: [] };
}

/** What every Ruby project has in bin, and never the server. */
const USUAL_TOOLS =
  /^(console|setup|bundle|bundler|rails|rake|rspec|rubocop|brakeman|dev|importmap|jobs|kamal|thrust|spring|test|ci|guard|irb|yarn|update|docker-entrypoint|test_\w+|check_\w+)(\.rb)?$/;

function scriptsIn(view: FileView, dir: string): string[] {
  return ['exe', 'bin', 'script'].flatMap((folder) =>
    view.files.filter((file) => {
      const name = relative(join(dir, folder), file);
      return isBelow(file, join(dir, folder)) && !name.includes('/') && !USUAL_TOOLS.test(name);
    }),
  );
}

/** By its own text, or by that of a file of the project that it loads. */
function servesAtAll(view: FileView, dir: string, file: string): boolean {
  const text = view.read(file) ?? '';
  if (looksLikeServer(text) || /mcp|server/i.test(basename(file))) return true;
  const loaded = [...text.matchAll(/\brequire(?:_relative)?\s*\(?\s*["']([^"']+)["']/g)].map((match) =>
    basename(match[1] ?? ''),
  );
  return loaded.some((name) =>
    view.files.some(
      (each) =>
        isBelow(each, join(dir, 'lib')) &&
        basename(each) === `${name.replace(/\.rb$/, '')}.rb` &&
        looksLikeServer(view.read(each)),
    ),
  );
}

const NAMES = ['server', 'mcp_server', 'mcp-server', 'main', 'mcp', 'app', 'run', 'index', 'stdio_server', 'cli'];
const ASIDE =
  /(^|\/)(tests?|spec|examples?|docs?|vendor|benchmarks?|db|config|features|\.[^/]+)\/|(^|\/)(test_|spec_)|_(test|spec)\.rb$|client|(^|\/)Rakefile/;

/** Files that serve: named like the project, of the usual names, then `<topic>_server.rb`, then any other; at the root first. */
function serverFiles(view: FileView, dir: string, identities: readonly string[]): string[] {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-.]/g, '_');
  const wanted = new Set(identities.map(plain));
  const rank = (file: string): number => {
    const stem = withoutExtension(basename(file));
    const usual = NAMES.indexOf(stem);
    const depth = relative(dir, file).split('/').length * 100;
    if (wanted.has(plain(stem))) return depth;
    return depth + (usual >= 0 ? 1 + usual : /server|mcp/.test(stem) ? 20 : 50);
  };
  return view.files
    .filter(
      (file) =>
        file.endsWith('.rb') &&
        isBelow(file, dir) &&
        relative(dir, file).split('/').length <= 4 &&
        !ASIDE.test(relative(dir, file)),
    )
    .filter((file) => {
      const text = view.read(file) ?? '';
      return looksLikeServer(text) && runsItself(text);
    })
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/**
 * `ruby -rbundler/setup FILE`: what `bundle exec` does, without a process in between. Sources of a gem are found in its
 * lib; a script with its own gems keeps them in the tree.
 */
function commandOf(view: FileView, dir: string, { gemfile, gemspec }: RubyProject, file: string): Candidate['command'] {
  const lib = view.has(join(dir, 'lib')) ? ['-Ilib'] : [];
  const inline = inlineGems(view.read(file) ?? '') !== null;
  const bundler = (gemfile !== null || gemspec !== null) && !inline ? ['-rbundler/setup'] : [];
  const env = inline ? { env: { GEM_HOME: GEMS } } : {};
  return { program: 'ruby', args: [...lib, ...bundler, relative(dir, file)], cwd: dir, ...env };
}

/** The server that the Gemfile has, started as its own program starts it. */
function rackCandidate(dir: string, { gems }: RubyProject, rackup: string): Candidate {
  const isPuma = gems.includes('puma') || gems.includes('rails');
  const [gem, address] = isPuma
    ? ['puma', ['--bind', 'tcp://{host}:{port}']]
    : ['rackup', ['--host', '{host}', '--port', '{port}']];
  const code = `load Gem.bin_path("${gem}", "${gem}")`;
  return {
    id: 'rack:config.ru',
    entry: rackup,
    command: { program: 'ruby', args: ['-rbundler/setup', '-e', code, '--', ...address, basename(rackup)], cwd: dir },
  };
}
