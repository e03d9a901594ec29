/** Python projects with uv, Poetry, pip-style requirements, or nothing but their files. */

import { createBasePlan } from './base-plan.ts';
import { findEventStream } from './event-stream.ts';
import { sourceName } from './identity.ts';
import { basename, join, relative } from './paths.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { findEntries, type PythonEntries } from './python/entries.ts';
import { explainPython } from './python/explain.ts';
import { planInstall } from './python/install.ts';
import { type PythonProject, readProject, sdkOf } from './python/project.ts';
import { readInstalledScripts } from './python/resolve.ts';
import { looksLikeServer } from './python/source.ts';
import { notAServer, unsupported } from './refusal.ts';
import { findPortVariables, findSettings } from './settings.ts';

const MARKERS = [
  'pyproject.toml',
  'setup.py',
  'setup.cfg',
  'requirements.txt',
  'requirements/base.txt',
  'requirements/prod.txt',
  'uv.lock',
  'Pipfile',
];

/** Frames at once and as UTF-8, a stack on a crash, no files beside the sources, no banner on the protocol's stdout. */
const ENV = {
  PYTHONUNBUFFERED: '1',
  PYTHONFAULTHANDLER: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONIOENCODING: 'utf-8',
  FASTMCP_SHOW_SERVER_BANNER: 'false',
} as const;

export function createPythonLauncher(): Launcher {
  return {
    id: 'python',
    detect: (view, dir) =>
      MARKERS.some((file) => view.files.includes(join(dir, file))) ||
      view.files.some(
        (file) => file.endsWith('.py') && !relative(dir, file).includes('/') && looksLikeServer(view.read(file)),
      ),
    plan: planPython,
    resolve: readInstalledScripts,
    explain: explainPython,
  };
}

function planPython(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const project = readProject(view, dir);
  if ('code' in project) return project;
  const isOverridden = spec.overrides.command !== undefined;
  if (!isOverridden && onlyPipfile(view, dir)) {
    const file = join(dir, 'Pipfile');
    return unsupported(
      'Dependencies in a Pipfile are not supported yet.',
      [{ file, says: 'is the only list of dependencies' }],
      'Add a requirements.txt (`pipenv requirements`), or give --install and --command.',
    );
  }
  const install = planInstall(view, dir, project);
  const identities = [project.name, sourceName(spec.source), basename(dir)];
  const entries = findEntries(view, dir, project, install, identities);
  if (entries.best === null && !isOverridden && !mayHaveScripts(project)) return refuse(dir, project);

  const sdk = sdkOf(project);
  const base = createBasePlan('python', 'python', dir);
  const evidence: Evidence[] = [
    ...entries.evidence,
    ...(sdk === null ? [] : [{ file: project.file, says: `depends on ${sdk}` }]),
    ...install.evidence,
    ...(project.requiresPython === null
      ? []
      : [{ file: project.file, says: `wants Python ${project.requiresPython}` }]),
  ];
  return {
    ...base,
    tools: install.tools,
    install: install.rungs,
    start: entries.candidates,
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    endpoint: findEventStream(view, dir, entries.candidates),
    env: ENV,
    wants: findSettings(view, dir),
    confidence: confidenceOf(sdk, entries),
    evidence,
  };
}

const confidenceOf = (sdk: string | null, { best }: PythonEntries): LaunchPlan['confidence'] =>
  sdk !== null && best === 'script' ? 'high' : sdk !== null || best === 'file' ? 'medium' : 'low';

const onlyPipfile = (view: FileView, dir: string): boolean =>
  view.files.includes(join(dir, 'Pipfile')) &&
  !['pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt'].some((file) => view.files.includes(join(dir, file)));

/** Scripts that a build back end computes are seen only once it is installed. */
const mayHaveScripts = ({ pyproject }: PythonProject): boolean => {
  const dynamic = (pyproject?.project as { dynamic?: unknown } | undefined)?.dynamic;
  return Array.isArray(dynamic) && (dynamic.includes('scripts') || dynamic.includes('entry-points'));
};

function refuse(dir: string, project: PythonProject): Refusal {
  const sdk = sdkOf(project);
  const says = [
    'no console scripts',
    'no package with a __main__.py',
    'no file that makes or runs a server outside tests and examples',
    ...(sdk === null ? ['no dependency on an MCP package'] : [`depends on ${sdk}, so it may be a library for servers`]),
  ];
  return notAServer(
    `${project.name || dir || 'This folder'} is a Python project, but nothing in it says how to start a server.`,
    says.map((each) => ({ file: project.file, says: each })),
  );
}
