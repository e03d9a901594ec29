/** Java and Kotlin projects with Maven or Gradle, and single files. */

import { createBasePlan } from './base-plan.ts';
import { findEventStream } from './event-stream.ts';
import { mcpDependency } from './java/dependencies.ts';
import { explainJava } from './java/explain.ts';
import { isRefusalLike, type JavaProject } from './java/facts.ts';
import { readGradle } from './java/gradle.ts';
import { buildFile, settingsFile } from './java/gradle-text.ts';
import { javaTool, wishedByFiles } from './java/jdk.ts';
import { hasLibraries, readMaven } from './java/maven.ts';
import { candidatesOf, followBuilt } from './java/programs.ts';
import { findServing } from './java/serving.ts';
import { readSingleFile, type SingleFile } from './java/single-file.ts';
import { anySpeaksMcp } from './java/sources.ts';
import { join } from './paths.ts';
import type { Evidence, FileView, Launcher, LaunchPlan, PluginSpec, Refusal } from './plan.ts';
import { notAServer, unsupported } from './refusal.ts';
import { findPortVariables, findSettings } from './settings.ts';

/** Spring, Quarkus and Micronaut, besides the usual ones. */
const PORTS = ['QUARKUS_HTTP_PORT', 'MICRONAUT_SERVER_PORT'];

export function createJavaLauncher(): Launcher {
  return {
    id: 'java',
    detect: (view, dir) =>
      view.files.includes(join(dir, 'pom.xml')) ||
      buildFile(view, dir) !== null ||
      settingsFile(view, dir) !== null ||
      readSingleFile(view, dir) !== null,
    plan: planJava,
    resolve: resolveJava,
    explain: explainJava,
  };
}

function planJava(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const maven = readMaven(view, dir);
  // A pom that can't be read is no reason to leave a whole Gradle build aside.
  const gradle = readGradle(view, dir);
  if (maven !== null && isRefusalLike(maven) && gradle === null) return maven;
  const pom = maven === null || isRefusalLike(maven) ? null : maven;
  const project = pom !== null && (gradle === null || pom.only === null) ? pom : gradle;
  if (project === null) {
    const single = readSingleFile(view, dir);
    return single === null ? notAServer('There is no Java project here.', []) : planSingleFile(view, dir, single);
  }
  const isOverridden = spec.overrides.command !== undefined;
  const mcp = mcpDependency(project.dependencies);
  if (project.only?.startsWith('is ') && !isOverridden) {
    const says = project.only;
    return unsupported(`${project.name || dir} ${says}: it runs inside of something else.`, [
      { file: project.file, says },
    ]);
  }
  const speaks = mcp !== null || anySpeaksMcp(view, dir);
  // An application framework says how to start it; a library with a main method for trials does not.
  if (!isOverridden && (project.only !== null || project.programs.length === 0)) return refuse(dir, project, mcp);

  const serving = findServing(view, dir, project.file, project.dependencies);
  const start = candidatesOf(dir, project.programs, serving, project.jvm);
  const wish = project.wish ?? wishedByFiles(view, dir);
  const least = wish?.least ?? (mcp === null ? null : MCP_SDK_JAVA);
  const base = createBasePlan('java', 'java', dir);
  const evidence: Evidence[] = [
    ...(mcp === null ? [] : [{ file: project.file, says: `depends on ${mcp}` }]),
    ...project.evidence,
    ...(wish === null ? [] : [{ file: wish.file, says: wish.says }]),
    ...serving.evidence,
  ];
  return {
    ...base,
    tools: [javaTool(least, project.below), ...project.tools],
    install: project.rungs,
    build: project.build,
    start,
    transport: serving.transport,
    port: { ...base.port, env: [...new Set([...base.port.env, ...PORTS, ...findPortVariables(view, dir)])] },
    endpoint: serving.endpoint ?? findEventStream(view, dir, start),
    wants: findSettings(view, dir),
    confidence: mcp !== null && project.names ? 'high' : speaks || project.names ? 'medium' : 'low',
    evidence,
    passedOver: project.passedOver,
  };
}

/** The Java SDK of MCP, and with it Spring AI, is compiled for 17. */
const MCP_SDK_JAVA = 17;

function planSingleFile(view: FileView, dir: string, single: SingleFile): LaunchPlan {
  const base = createBasePlan('java', 'java', dir);
  const mcp = mcpDependency(single.dependencies);
  return {
    ...base,
    tools: [javaTool(single.least ?? 17), ...single.tools],
    install: single.install,
    start: [single.candidate],
    wants: findSettings(view, dir),
    confidence: mcp === null ? 'medium' : 'high',
    evidence: [...single.evidence, ...(mcp === null ? [] : [{ file: single.file, says: `depends on ${mcp}` }])],
  };
}

function refuse(dir: string, project: JavaProject, mcp: string | null): Refusal {
  const { file, modules, name } = project;
  const evidence: Evidence[] = [
    ...(modules.length > 0 ? [{ file, says: `gathers ${modules.slice(0, 10).join(', ')}` }] : []),
    { file, says: 'makes no program: no application plugin, no main class' },
    ...(mcp === null ? [] : [{ file, says: `depends on ${mcp}, so it may be a library for servers` }]),
  ];
  return notAServer(
    modules.length > 0
      ? `${name || dir || 'This project'} gathers modules and is no program itself.`
      : `${name || dir || 'This folder'} is a Java project, but nothing in it says how to start a server.`,
    evidence,
    modules.length > 0 ? `Choose a module with --subdir, e.g. --subdir ${join(dir, modules[0] ?? '')}.` : undefined,
  );
}

/** After the build: jars under their real names, and nothing that needs libraries which were not brought together. */
function resolveJava(view: FileView, plan: LaunchPlan): LaunchPlan {
  const followed = followBuilt(view, plan);
  const { start } = followed;
  const isThere = ({ entry }: LaunchPlan['start'][number]) => entry !== null && view.files.includes(entry);
  const needsLibraries = ({ id, command }: LaunchPlan['start'][number]) =>
    id.startsWith('classes:') && command.args.some((word) => word.endsWith('/*'));
  const others = start.filter((candidate) => !needsLibraries(candidate));
  const drop = others.some(isThere) && !hasLibraries(view, plan.projectDir);
  return drop ? { ...followed, start: others } : followed;
}
