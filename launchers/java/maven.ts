/** Projects with a pom.xml. */

import { join } from '../paths.ts';
import type { FileView, PassedOver, Refusal } from '../plan.ts';
import { isRefusalLike, type JavaProject } from './facts.ts';
import { type JdkWish, javaRelease } from './jdk.ts';
import { copyLibraries, ladder, reactorRoot, rescue } from './maven-build.ts';
import { declaredMain, LIBRARIES, packagingOf, programsOf } from './maven-packaging.ts';
import { type Pom, pluginSetting, readPom } from './pom.ts';
import { findMainClasses } from './sources.ts';

/** Null for a folder without a pom; a pom that only gathers modules gives a project without programs. */
export function readMaven(view: FileView, dir: string): JavaProject | Refusal | null {
  const pom = readPom(view, dir);
  if (pom === null || isRefusalLike(pom)) return pom;
  const mains = findMainClasses(view, dir);
  const declared = declaredMain(pom);
  const main = declared ?? mains[0]?.name ?? null;
  const how = packagingOf(view, dir, pom, main);
  const programs = programsOf(dir, pom, how, main);
  const root = reactorRoot(view, dir);
  const needsLibraries = how.kind === 'none' && main !== null;
  const goals = ['package', ...how.goals, ...(needsLibraries ? copyLibraries : [])];
  const { rungs, tools, evidence } = ladder(view, dir, root, goals, flagsOf(pom));
  const wish = wishOf(pom);
  const preview = pom.plugin('maven-compiler-plugin').some((part) => JSON.stringify(part).includes('--enable-preview'));
  return {
    file: pom.file,
    name: pom.artifactId,
    dependencies: pom.dependencies,
    modules: pom.modules,
    only: pom.packaging === 'pom' ? 'gathers modules' : null,
    wish,
    below: preview && wish !== null ? wish.least + 1 : null,
    jvm: preview ? ['--enable-preview'] : [],
    tools,
    rungs,
    // Only when there is no jar after all.
    build: needsLibraries || main === null || how.isSure ? [] : [rescue(view, root)],
    programs,
    names: how.kind !== 'none' || declared !== null,
    evidence: [
      { file: pom.file, says: how.says },
      ...(declared === null ? [] : [{ file: pom.file, says: `names the main class ${declared}` }]),
      ...(declared === null && mains[0] !== undefined
        ? [{ file: mains[0].file, line: mains[0].line, says: 'has a main method' }]
        : []),
      ...evidence,
    ],
    passedOver: passedOver(
      mains.map(({ name, file, line }) => ({ name, file, line })),
      main,
    ),
  };
}

export const passedOver = (
  mains: readonly { readonly name: string; readonly file: string; readonly line: number }[],
  main: string | null,
): PassedOver[] =>
  mains
    .filter(({ name }) => name !== main)
    .slice(0, 5)
    .map(({ name, file, line }) => ({
      file,
      line,
      what: `main method of ${name}`,
      why: 'another one is more likely the server',
    }));

/** True when the folder with the dependencies is there, or never was to be made. */
export const hasLibraries = (view: FileView, dir: string): boolean => view.has(join(dir, LIBRARIES));

/** Properties that an old Maven's own compiler plugin needs to see. */
function flagsOf(pom: Pom): string[] {
  const release = pom.property('maven.compiler.release');
  const hasOthers = pom.property('maven.compiler.source') !== null || pom.property('maven.compiler.target') !== null;
  const pinned = pluginSetting(pom, 'maven-compiler-plugin', 'version') !== null;
  return release === null || hasOthers || pinned || pom.outerParent !== null
    ? []
    : [`-Dmaven.compiler.source=${release}`, `-Dmaven.compiler.target=${release}`];
}

function wishOf(pom: Pom): JdkWish | null {
  const said = [
    pluginSetting(pom, 'maven-compiler-plugin', 'release'),
    pom.property('maven.compiler.release'),
    pom.property('java.version'),
    pluginSetting(pom, 'maven-compiler-plugin', 'target'),
    pom.property('maven.compiler.target'),
    pluginSetting(pom, 'maven-compiler-plugin', 'source'),
    pom.property('maven.compiler.source'),
    pom.property('jdk.version'),
    pom.property('jvm.target'),
    pom.property('kotlin.compiler.jvmTarget'),
  ].map(javaRelease);
  const least = Math.max(0, ...said.map((each) => each ?? 0)) || usualOf(pom);
  return least === 0 ? null : { least, file: pom.file, says: `is compiled for Java ${least}` };
}

/** Spring Boot 3 and 4 and Quarkus 3 are made for Java 17. */
const usualOf = (pom: Pom): number => {
  const { outerParent } = pom;
  const boot = outerParent?.artifactId === 'spring-boot-starter-parent' && /^[3-9]\./.test(outerParent.version);
  return boot || pom.plugin('quarkus-maven-plugin').length > 0 ? 17 : 0;
};
