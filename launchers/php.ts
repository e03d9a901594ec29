/** PHP projects: Composer packages with a program, scripts, and applications of the usual frameworks. */

import { createBasePlan } from './base-plan.ts';
import { sourceName } from './identity.ts';
import { basename, isBelow, join, relative } from './paths.ts';
import { findEntries, type PhpEntries } from './php/entries.ts';
import { explainPhp } from './php/explain.ts';
import { planInstall } from './php/install.ts';
import { type PhpProject, readProject, sdkOf } from './php/project.ts';
import { looksLikeServer } from './php/source.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findPortVariables, findSettings } from './settings.ts';

export function createPhpLauncher(): Launcher {
  return {
    id: 'php',
    detect: (view, dir) =>
      view.files.includes(join(dir, 'composer.json')) ||
      scriptsNear(view, dir).some((file) => looksLikeServer(view.read(file))),
    plan: planPhp,
    resolve: (_, plan) => plan,
    explain: explainPhp,
  };
}

/** Scripts of a folder without a composer.json, and those in its bin. */
const scriptsNear = (view: FileView, dir: string): string[] =>
  view.files
    .filter((file) => isBelow(file, dir) && /^[^/]+\.php$|^bin\/[^/]+$|^src\/[^/]+\.php$/.test(relative(dir, file)))
    .slice(0, 15);

function planPhp(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const project = readProject(view, dir);
  if ('code' in project) return project;
  const identities = [project.name, sourceName(spec.source), basename(dir)];
  const entries = findEntries(view, dir, project, identities);
  if (entries.best === null && spec.overrides.command === undefined) return refuse(dir, project, entries);

  const { rungs, tools } = planInstall(dir, project);
  const sdk = sdkOf(project);
  const base = createBasePlan('php', 'php', dir);
  const evidence: Evidence[] = [
    ...entries.evidence,
    ...(sdk === null ? [] : [{ file: project.file, says: `requires ${sdk}` }]),
    ...(project.lock === null ? [] : [{ file: project.lock, says: 'is Composer’s lock' }]),
    ...(project.requiresPhp === null ? [] : [{ file: project.file, says: `wants PHP ${project.requiresPhp}` }]),
    ...(project.extensions.length === 0
      ? []
      : [{ file: project.file, says: `wants the extensions ${project.extensions.join(', ')}` }]),
  ];
  return {
    ...base,
    tools,
    install: rungs,
    start: entries.candidates,
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    wants: findSettings(view, dir),
    confidence: confidenceOf(view, entries, sdk),
    evidence,
    passedOver: entries.passedOver,
  };
}

function confidenceOf(view: FileView, { best, candidates }: PhpEntries, sdk: string | null): LaunchPlan['confidence'] {
  const serves = looksLikeServer(view.read(candidates[0]?.entry ?? ''));
  if (sdk !== null && best !== null && (best !== 'file' || serves)) return best === 'web' ? 'medium' : 'high';
  return sdk !== null || serves || best === 'console' ? 'medium' : 'low';
}

function refuse(dir: string, project: PhpProject, { passedOver }: PhpEntries): Refusal {
  const sdk = sdkOf(project);
  const says = [
    project.hasComposer ? 'its composer.json names no bin that is there' : 'no composer.json',
    'no program in bin that serves',
    ...passedOver.map(({ what, why }) => `${what}: ${why}`),
    'no console command for MCP, and no server, main or index file that serves outside tests and examples',
    ...(sdk === null ? ['no dependency on an MCP package'] : [`requires ${sdk}, so it may be a library for servers`]),
  ];
  return notAServer(
    `${project.name || dir || 'This folder'} is a PHP project, but nothing in it says how to start a server.`,
    says.map((each) => ({ file: project.file, says: each })),
  );
}
