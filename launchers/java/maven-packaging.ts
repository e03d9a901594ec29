/** What a Maven project makes, and how that is started. */

import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { type Pom, pluginSetting, runsGoal } from './pom.ts';
import type { Program } from './programs.ts';
import { classFile } from './sources.ts';
import { readProperties } from './spring.ts';

/** Where the dependencies of a program without a fat jar are put, below its folder. */
export const LIBRARIES = 'target/mcp-supervisor';

export interface Packaging {
  readonly kind: 'jar' | 'none';
  /** Jar that is made, below the tree. */
  readonly jar: string;
  /** The jar names no main class, or may not. */
  readonly needsMain: boolean;
  /** Made by a plugin that leaves no doubt. */
  readonly isSure: boolean;
  /** Goals that the project does not run by itself. */
  readonly goals: readonly string[];
  readonly says: string;
}

export function packagingOf(view: FileView, dir: string, pom: Pom, main: string | null): Packaging {
  const target = (name: string) => join(dir, 'target', name);
  const made = (jar: string, says: string, more: Partial<Packaging> = {}): Packaging => ({
    kind: 'jar',
    jar,
    needsMain: false,
    isSure: false,
    goals: [],
    says,
    ...more,
  });
  const extension = pom.packaging === 'war' ? 'war' : 'jar';
  const usual = target(`${pom.finalName}.${extension}`);
  const uses = (plugin: string) => pom.plugin(plugin).length > 0;
  const setting = (plugin: string, name: string) => pluginSetting(pom, plugin, name);

  if (uses('quarkus-maven-plugin')) {
    const properties = readProperties(view, dir);
    const type = ['quarkus.package.jar.type', 'quarkus.package.type']
      .map((name) => pom.property(name) ?? properties.get(name))
      .find((value) => value !== undefined);
    return /uber/.test(type ?? '')
      ? made(target(`${pom.finalName}-runner.jar`), 'makes a Quarkus uber jar', { isSure: true })
      : made(target('quarkus-app/quarkus-run.jar'), 'makes a Quarkus application', { isSure: true });
  }
  if (uses('spring-boot-maven-plugin')) {
    const classifier = setting('spring-boot-maven-plugin', 'classifier');
    const name = setting('spring-boot-maven-plugin', 'finalName') ?? pom.finalName;
    const jar = target(`${name}${classifier === null ? '' : `-${classifier}`}.${extension}`);
    const isSure =
      pom.outerParent?.artifactId === 'spring-boot-starter-parent' ||
      runsGoal(pom, 'spring-boot-maven-plugin', 'repackage');
    // A company's parent pom that can't be seen here most likely says so.
    if (isSure || pom.outerParent !== null) return made(jar, 'makes a Spring Boot jar', { isSure });
    if (main === null) return made(jar, 'makes a Spring Boot jar', { goals: ['spring-boot:repackage'] });
  }
  if (uses('maven-shade-plugin') && (runsGoal(pom, 'maven-shade-plugin', 'shade') || pom.outerParent !== null)) {
    const shade = (name: string) => setting('maven-shade-plugin', name);
    const name = shade('finalName') ?? pom.finalName;
    const classifier =
      shade('shadedArtifactAttached') === 'true' ? `-${shade('shadedClassifierName') ?? 'shaded'}` : '';
    const file = shade('outputFile')?.replace(
      /^\$\{(project\.)?(basedir|build\.directory)\}\//,
      (_, __, what: string) => (what === 'basedir' ? '' : 'target/'),
    );
    const jar = file === undefined ? target(`${name}${classifier}.jar`) : join(dir, file);
    const names = shade('mainClass') !== null || shade('Main-Class') !== null || manifestMain(pom) !== null;
    return made(jar, 'makes a jar with everything inside', { needsMain: !names });
  }
  if (pom.outerParent?.artifactId === 'micronaut-parent' && pom.property('exec.mainClass') !== null) {
    return made(usual, 'makes a Micronaut jar');
  }
  if (setting('maven-assembly-plugin', 'descriptorRef') === 'jar-with-dependencies') {
    const name = setting('maven-assembly-plugin', 'finalName') ?? pom.finalName;
    const suffix = setting('maven-assembly-plugin', 'appendAssemblyId') === 'false' ? '' : '-jar-with-dependencies';
    const bound = ['single', 'assembly', 'attached'].some((goal) => runsGoal(pom, 'maven-assembly-plugin', goal));
    return made(target(`${name}${suffix}.jar`), 'makes a jar with everything inside', {
      goals: bound ? [] : ['assembly:single'],
      needsMain: setting('maven-assembly-plugin', 'mainClass') === null,
    });
  }
  const named = manifestMain(pom) !== null;
  const isAlone = pom.dependencies.length === 0;
  const hasLibraries =
    setting('maven-jar-plugin', 'addClasspath') === 'true' &&
    runsGoal(pom, 'maven-dependency-plugin', 'copy-dependencies');
  if (named && (isAlone || hasLibraries)) return made(usual, 'makes a jar that names its main class');
  if (main === null && named) return made(usual, 'makes a jar');
  return {
    kind: 'none',
    jar: usual,
    needsMain: true,
    isSure: false,
    goals: [],
    says: 'makes no jar that runs by itself',
  };
}

const manifestMain = (pom: Pom): string | null =>
  pluginSetting(pom, 'maven-jar-plugin', 'mainClass') ?? pluginSetting(pom, 'maven-jar-plugin', 'Main-Class');

/** Where a pom may name the program, the most binding first. */
export function declaredMain(pom: Pom): string | null {
  const named = [
    pluginSetting(pom, 'spring-boot-maven-plugin', 'mainClass'),
    pluginSetting(pom, 'maven-shade-plugin', 'mainClass'),
    pluginSetting(pom, 'maven-shade-plugin', 'Main-Class'),
    pluginSetting(pom, 'maven-assembly-plugin', 'mainClass'),
    manifestMain(pom),
    pluginSetting(pom, 'exec-maven-plugin', 'mainClass'),
    ...['start-class', 'exec.mainClass', 'mainClass', 'main.class'].map((name) => pom.property(name)),
  ];
  return named.find((each) => each !== null && /^[\w.]+$/.test(each)) ?? null;
}

export function programsOf(dir: string, pom: Pom, how: Packaging, main: string | null): Program[] {
  const classes = join(dir, 'target/classes');
  const jar: Program | null =
    how.kind === 'none'
      ? null
      : how.needsMain && main !== null
        ? { kind: 'main', name: pom.artifactId, main, classpath: [how.jar], entry: how.jar }
        : { kind: 'jar', name: pom.artifactId, path: how.jar };
  const loose: Program | null =
    main === null || how.isSure
      ? null
      : {
          kind: 'main',
          name: pom.artifactId,
          main,
          classpath: [classes, join(dir, LIBRARIES, '*')],
          entry: classFile(classes, main),
        };
  return [jar, loose].filter((each) => each !== null);
}
