/** Ruby projects: gems with a program, scripts with a Gemfile, lone scripts, and rack applications. */

import { createBasePlan } from './base-plan.ts';
import { sourceName } from './identity.ts';
import { basename, isBelow, relative } from './paths.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findEntries, type RubyEntries } from './ruby/entries.ts';
import { explainRuby } from './ruby/explain.ts';
import { BUNDLER, planInstall } from './ruby/install.ts';
import { gemfileOf, gemspecOf, type RubyProject, readProject, sdkOf } from './ruby/project.ts';
import { looksLikeServer, speaksMcp } from './ruby/source.ts';
import { findPortVariables, findSettings, sourceFiles } from './settings.ts';

export function createRubyLauncher(): Launcher {
  return {
    id: 'ruby',
    detect: (view, dir) =>
      gemfileOf(view, dir) !== null ||
      gemspecOf(view, dir) !== null ||
      scriptsNear(view, dir).some((file) => looksLikeServer(view.read(file))),
    plan: planRuby,
    resolve: (_, plan) => plan,
    explain: explainRuby,
  };
}

/** Scripts of a folder without a Gemfile, and those in its bin. */
const scriptsNear = (view: FileView, dir: string): string[] =>
  view.files
    .filter(
      (file) => file.endsWith('.rb') && isBelow(file, dir) && /^((bin|exe|lib)\/)?[^/]+$/.test(relative(dir, file)),
    )
    .slice(0, 15);

function planRuby(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const project = readProject(view, dir);
  const identities = [project.name, sourceName(spec.source), basename(dir)];
  const entries = findEntries(view, dir, project, identities);
  if (entries.best === null && spec.overrides.command === undefined) return refuse(dir, project, entries);

  const entryText = view.read(entries.candidates[0]?.entry ?? '') ?? '';
  const { rungs, tools } = planInstall(dir, project, entryText);
  const sdk = sdkOf(project);
  // The program itself may only call what lies in lib.
  const own = sourceFiles(view, dir).filter((file) => file.endsWith('.rb'));
  const speaks = speaksMcp(entryText) || own.some((file) => looksLikeServer(view.read(file)));
  const base = createBasePlan('ruby', 'ruby', dir);
  const { requiresRuby, prefersRuby } = project;
  const evidence: Evidence[] = [
    ...entries.evidence,
    ...(sdk === null ? [] : [{ file: project.file, says: `depends on ${sdk}` }]),
    ...(rungs.length === 0 || project.gemfile === null
      ? []
      : [
          {
            file: project.lock ?? project.gemfile,
            says: project.lock === null ? 'lists its gems' : 'is Bundler’s lock',
          },
        ]),
    ...(requiresRuby === null ? [] : [{ file: requiresRuby.file, says: `wants Ruby ${requiresRuby.range}` }]),
    ...(prefersRuby === null ? [] : [{ file: prefersRuby.file, says: `was written with Ruby ${prefersRuby.version}` }]),
  ];
  return {
    ...base,
    tools,
    install: rungs,
    start: entries.candidates,
    port: { ...base.port, env: [...new Set([...base.port.env, ...findPortVariables(view, dir)])] },
    // Frames are UTF-8, whatever the locale says.
    env: { RUBYOPT: '-EUTF-8', ...(project.gemfile === null && project.gemspec === null ? {} : BUNDLER) },
    wants: findSettings(view, dir),
    confidence: confidenceOf(entries, sdk, speaks),
    evidence,
    passedOver: entries.passedOver,
  };
}

const confidenceOf = ({ best }: RubyEntries, sdk: string | null, speaks: boolean): LaunchPlan['confidence'] =>
  sdk !== null && (best === 'executable' || speaks) ? 'high' : sdk !== null || speaks ? 'medium' : 'low';

function refuse(dir: string, project: RubyProject, { passedOver }: RubyEntries): Refusal {
  const sdk = sdkOf(project);
  const says = [
    project.gemspec === null ? 'no gemspec' : 'its gemspec names no program',
    'no program in exe or bin that serves',
    ...passedOver.map(({ what, why }) => `${what}: ${why}`),
    'no server, main or app file that serves outside tests and examples',
    ...(sdk === null ? ['no dependency on an MCP gem'] : [`depends on ${sdk}, so it may be a library for servers`]),
  ];
  return notAServer(
    `${project.name || dir || 'This folder'} is a Ruby project, but nothing in it says how to start a server.`,
    says.map((each) => ({ file: project.file, says: each })),
  );
}
