/**
 * What others say of how the program is started (a literal smithery command, the Dockerfile's last ENTRYPOINT and CMD, the
 * Procfile): it confirms the plan, or is one more way to try where the plan's own ways fail.
 */

import { commandCandidate, withToolsFor } from './binary.ts';
import { readDockerfile } from './dockerfile.ts';
import { basename, join } from './paths.ts';
import type { Candidate, Evidence, FileView, LaunchPlan } from './plan.ts';
import { readSmitheryCommand } from './smithery.ts';
import { splitCommand } from './words.ts';

/** A command line found outside of the runtime's own manifests. */
interface Witness {
  readonly id: string;
  readonly file: string;
  readonly line?: number;
  readonly words: readonly string[];
}

/** Programs that stand before the one that serves, with the options they may have. */
const WRAPPERS =
  /^(exec|tini|dumb-init|uv|run|poetry|pdm|pipenv|hatch|bundle|--|-g|-s|--(no-sync|frozen|no-dev|locked|offline|quiet))$/;

/** Programs that run a file of the project. */
const RUNNERS = /^(node|bun|python3?(\.\d+)?|ruby|php|perl)$/;

/** The plan with what its witnesses say: evidence where they agree, a last candidate or a note where they don't. */
export function withWitnesses(view: FileView, plan: LaunchPlan): LaunchPlan {
  return witnesses(view, plan.projectDir).reduce((made, witness) => heard(view, made, witness), plan);
}

function heard(view: FileView, plan: LaunchPlan, witness: Witness): LaunchPlan {
  const { id, file, line, words } = witness;
  const at = { file, ...(line === undefined ? {} : { line }) };
  const same = plan.start.findIndex((candidate) => isSame(candidate, words));
  if (same >= 0) {
    const evidence: Evidence = { ...at, says: `starts the same program: ${words.join(' ')}` };
    return { ...plan, evidence: [...plan.evidence, evidence] };
  }
  const candidate = candidateOf(view, plan, id, words);
  // An image may hold what no checkout has.
  if (candidate === null) return plan;
  return {
    ...plan,
    tools: withToolsFor(plan.tools, [candidate.command.program]),
    start: [...plan.start, candidate],
    evidence: [...plan.evidence, { ...at, says: `starts it another way: ${words.join(' ')}` }],
  };
}

function witnesses(view: FileView, dir: string): readonly Witness[] {
  const smithery = readSmitheryCommand(view, dir);
  const docker = readDockerfile(view, dir);
  const found: (Witness | null)[] = [
    smithery && { id: 'smithery', file: smithery.file, words: bare(smithery.words, '/app') },
    docker && {
      id: 'dockerfile',
      file: docker.file,
      line: (docker.cmd ?? docker.entrypoint)?.line ?? 1,
      words: bare(docker.command, docker.workdir),
    },
    procfile(view, dir),
  ];
  return found.filter((each): each is Witness => each !== null && each.words.length > 0);
}

/** `web`, else `worker`: a Procfile is for servers behind a port. */
function procfile(view: FileView, dir: string): Witness | null {
  const file = join(dir, 'Procfile');
  const lines = (view.files.includes(file) ? (view.read(file) ?? '') : '').split(/\r?\n/);
  for (const kind of ['web', 'worker']) {
    const at = lines.findIndex((line) => line.startsWith(`${kind}:`));
    const split = at < 0 ? null : splitCommand((lines[at] ?? '').slice(kind.length + 1).trim());
    if (split?.ok) return { id: 'procfile', file, line: at + 1, words: bare(split.words, '/') };
  }
  return null;
}

/** Without what stands before the program, and with paths of the image made relative to its working folder. */
function bare(words: readonly string[], workdir: string): readonly string[] {
  const first = words.findIndex((word) => !WRAPPERS.test(basename(word)));
  return (first < 0 ? [] : words.slice(first)).map((word, at) => {
    const below = workdir !== '/' && word.startsWith(`${workdir.replace(/\/$/, '')}/`);
    const path = below ? word.slice(workdir.replace(/\/$/, '').length + 1) : word.replace(/^\.\//, '');
    return at === 0 && /^\/(usr\/)?(local\/)?bin\//.test(path) ? basename(path) : path;
  });
}

/** The file that it runs, else the name of its program. */
function subject(words: readonly string[]): string {
  const [program = '', ...args] = words;
  if (!RUNNERS.test(program)) return basename(program);
  const at = args.indexOf('-m');
  return at >= 0 ? (args[at + 1] ?? '') : (args.find((word) => !word.startsWith('-')) ?? '');
}

function isSame({ id, entry, command }: Candidate, words: readonly string[]): boolean {
  const wanted = subject(words);
  if (wanted === '') return false;
  const name = id.slice(id.indexOf(':') + 1);
  return wanted === name || (entry !== null && (entry === join(command.cwd, wanted) || basename(entry) === wanted));
}

/** Only what runs a file that is there, or will be: anything else would be a guess about another machine. */
function candidateOf(view: FileView, plan: LaunchPlan, id: string, words: readonly string[]): Candidate | null {
  const [program = ''] = words;
  const target = subject(words);
  if (!RUNNERS.test(program) || target === '' || target.startsWith('/') || target.includes('..')) return null;
  const own = words.map((word) => (/^python/.test(word) ? 'python' : word));
  // A module of an installed package is found at the start; a file has to be there, or to be built.
  const isModule = words.includes('-m');
  const known = isModule || view.files.includes(join(plan.projectDir, target)) || plan.build.length > 0;
  if (!known || words.some((word) => /[$`]/.test(word))) return null;
  return commandCandidate(view, id, own, plan.projectDir);
}
