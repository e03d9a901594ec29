import { byIdentity, isHelper } from '../identity.ts';
import { asString, readManifest } from '../parse.ts';
import { basename, dirname, join } from '../paths.ts';
import type { Candidate, FileView, LaunchPlan } from '../plan.ts';
import { scriptCandidate } from './candidates.ts';
import { normalName } from './names.ts';
import { readProject } from './project.ts';

/**
 * After the install: the console scripts that the project's own distribution really has, by its `entry_points.txt`
 * (exact for every build back end), before everything else. A no-op without a venv, and for commands that the caller or
 * a manifest gave.
 */
export function readInstalledScripts(view: FileView, plan: LaunchPlan): LaunchPlan {
  const venvDir = venvDirOf(plan);
  if (venvDir === null) return plan;
  const lost = new Set(plan.passedOver.map(({ what }) => what));
  const installed = installedScripts(view, venvDir, plan.projectDir).filter((name) => !lost.has(`script ${name}`));
  // What was planned was chosen by more than names.
  const planned = plan.start.map(({ id }) => id.replace(/^script:/, '')).filter((name) => installed.includes(name));
  const scripts = [...new Set([...planned, ...installed])];
  if (scripts.length === 0) return plan;
  // What was only to stand in for them if they could not be installed (`source:`) would die of the same cause.
  const rest = plan.start.filter(
    ({ id, command }) =>
      !/^(script|source):/.test(id) ||
      !scripts.includes(id.replace(/^\w+:/, '')) ||
      // But for a function that a script calls without waiting for it.
      (id.startsWith('source:') && command.args.some((word) => word.includes('asyncio.run('))),
  );
  const cwd = plan.start[0]?.command.cwd ?? plan.projectDir;
  const start = scripts.map((name): Candidate => {
    const known = plan.start.find(({ id }) => id === `script:${name}`);
    if (known !== undefined) return known;
    const candidate = scriptCandidate({ dir: cwd, venvDir }, name);
    return { ...candidate, command: { ...candidate.command, args: [...candidate.command.args, ...(plan.args ?? [])] } };
  });
  return { ...plan, start: [...start, ...rest] };
}

/** Where the plan's own candidates look for Python; null when none of them is ours. */
function venvDirOf({ start, projectDir }: LaunchPlan): string | null {
  if (start.length === 0) return projectDir;
  const ours = start.find(
    ({ id, command }) => command.program.endsWith('.venv/bin/python') && !/^(override|manifest)/.test(id),
  );
  return ours === undefined ? null : dirname(dirname(dirname(ours.command.program)));
}

/** Names of the project's console scripts in the venv, most likely the server first. */
function installedScripts(view: FileView, venvDir: string, dir: string): string[] {
  const project = readProject(view, dir);
  const declared = 'code' in project ? '' : project.name;
  const lists = view.files.filter(
    (file) => file.startsWith(`${join(venvDir, '.venv/lib')}/`) && file.endsWith('.dist-info/entry_points.txt'),
  );
  const own =
    lists.find((file) => declared !== '' && normalName(distributionOf(file)) === normalName(declared)) ??
    // A name that only setup.py's code knows: the one distribution that came from a folder.
    lists.find((file) => isLocal(view, dirname(file)));
  if (own === undefined) return [];
  const identities = [distributionOf(own), basename(dir)];
  const names = consoleScriptsOf(view.read(own) ?? '').filter((name) => view.has(join(venvDir, '.venv/bin', name)));
  const servers = names.filter((name) => !isHelper(name, identities));
  return byIdentity(servers.length > 0 ? servers : names, identities);
}

/** `…/cli_mcp_server-0.2.5.dist-info/entry_points.txt` → `cli_mcp_server`. */
const distributionOf = (file: string): string => basename(dirname(file)).replace(/-[^-]+\.dist-info$/, '');

const isLocal = (view: FileView, info: string): boolean => {
  const parsed = readManifest(view, join(info, 'direct_url.json'));
  return parsed?.ok === true && (asString(parsed.fields.url) ?? '').startsWith('file:');
};

function consoleScriptsOf(text: string): string[] {
  const section = /^\[console_scripts\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^\s*([^=\s#;]+)\s*=/gm)].map((match) => match[1] ?? '');
}
