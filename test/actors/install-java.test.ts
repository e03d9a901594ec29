/** Maven itself, on the ladders that the launcher plans. */

import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileView } from '../../actors/file-view.ts';
import { createJavaLauncher } from '../../launchers/java.ts';
import { isRefusal, type LaunchPlan } from '../../launchers/plan.ts';
import { planFor } from '../../launchers/table.ts';
import type { Environment } from '../../machines/contracts.ts';
import { needsRegistries } from '../support/registries.ts';
import { createSpec } from '../support/spec.ts';
import { createHarness, done, failed, type Harness } from './install-harness.ts';

let harness: Harness;

beforeEach(async () => {
  // The Java of somebody's shell, and what a surrounding build hands down.
  harness = await createHarness({ JAVA_HOME: '/nowhere', CLASSPATH: '/nowhere', MAVEN_CMD_LINE_ARGS: '--version' });
  Object.assign(harness.context, { launchers: async () => [createJavaLauncher()] });
});
afterEach(() => harness[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string>>;

async function planned(files: Files): Promise<{ dir: string; plan: LaunchPlan }> {
  const dir = await harness.checkout(files);
  const plan = planFor(createFileView(dir), createSpec());
  if (isRefusal(plan)) throw new Error(plan.message);
  return { dir, plan };
}

async function installed(files: Files): Promise<Environment> {
  const { dir, plan } = await planned(files);
  return done(harness.install(dir, plan));
}

/** What the built program prints, started as it would be. */
async function says({ dir, plan, programs }: Environment): Promise<string> {
  const [first] = plan.start;
  if (first === undefined) throw new Error('nothing to start');
  const { program, args, cwd } = first.command;
  return (await promisify(execFile)(programs[program] ?? program, args, { cwd: join(dir, cwd) })).stdout.trim();
}

/** With a small library, so that something has to be resolved and found again. */
const DEPENDENCY =
  '<dependency><groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-core</artifactId><version>2.17.2</version></dependency>';
const pom = (more = '', { dependencies = DEPENDENCY, name = 'weather', head = '' } = {}): string =>
  `<project><modelVersion>4.0.0</modelVersion>${head}<groupId>acme</groupId><artifactId>${name}</artifactId><version>1</version><properties><maven.compiler.release>17</maven.compiler.release></properties><dependencies>${dependencies}</dependencies>${more}</project>`;
const main = (expression: string): Files => ({
  'src/main/java/com/acme/Main.java': `package com.acme;\nclass Main {\n  public static void main(String[] a) { System.out.println(${expression}); }\n  // "tools/list"\n}\n`,
});
const LIBRARY = 'com.fasterxml.jackson.core.json.PackageVersion.VERSION.getMajorVersion()';

describe('Maven', () => {
  needsRegistries('maven');

  it('builds a program without a fat jar, and brings its libraries together', async () => {
    const environment = await installed({ 'pom.xml': pom(), ...main(LIBRARY) });
    expect(environment.rung).toBe('mvn');
    expect(environment.plan.start.map(({ id }) => id)).toEqual(['classes:weather']);
    expect(await says(environment)).toBe('2');
  });

  it('builds a module with what it needs of its siblings', async () => {
    const parent = '<parent><groupId>acme</groupId><artifactId>all</artifactId><version>1</version></parent>';
    const sibling =
      '<dependency><groupId>acme</groupId><artifactId>words</artifactId><version>1</version></dependency>';
    const environment = await installed({
      'pom.xml':
        '<project><modelVersion>4.0.0</modelVersion><groupId>acme</groupId><artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules><module>words</module><module>server</module><module>broken</module></modules></project>',
      'words/pom.xml': pom('', { dependencies: '', name: 'words', head: parent }),
      'words/src/main/java/com/acme/Words.java':
        'package com.acme; public class Words { public static String hello() { return "hällo"; } }',
      'server/pom.xml': pom('', { dependencies: sibling, name: 'server', head: parent }),
      ...Object.fromEntries(Object.entries(main('Words.hello()')).map(([path, text]) => [`server/${path}`, text])),
      'broken/pom.xml': pom('', { name: 'broken', head: parent }),
      'broken/src/main/java/com/acme/Broken.java': 'package com.acme; class Broken { does not compile }',
    });
    expect(environment.plan.projectDir).toBe('server');
    expect(await says(environment)).toBe('hällo');
  });

  it('goes on without the checks of a project that fails them', async () => {
    const checkstyle =
      '<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-enforcer-plugin</artifactId><version>3.5.0</version><executions><execution><goals><goal>enforce</goal></goals><configuration><rules><requireOS><family>windows</family></requireOS></rules></configuration></execution></executions></plugin></plugins></build>';
    const environment = await installed({ 'pom.xml': pom(checkstyle), ...main('"built"') });
    expect(environment.rung).toBe('without-checks');
    expect(environment.fallbacks).toMatchObject([{ tried: 'mvn', cause: 'install-script-failed' }]);
    expect(await says(environment)).toBe('built');
  });

  it('gets a newer one where it is too old, and leaves the system’s alone', async () => {
    const enforcer =
      '<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-enforcer-plugin</artifactId><version>3.5.0</version><executions><execution><goals><goal>enforce</goal></goals><configuration><rules><requireMavenVersion><version>[99,)</version></requireMavenVersion></rules></configuration></execution></executions></plugin></plugins></build>';
    const environment = await installed({ 'pom.xml': pom(enforcer), ...main('"built"') });
    expect(environment.rung).toBe('newer-maven');
    expect(await says(environment)).toBe('built');
  });

  it('takes the place of a wrapper whose own Maven can not be reached, be it written on Windows', async () => {
    const wrapper = {
      mvnw: '#!/bin/sh\r\nif [ -f pom.xml ]; then\r\n  echo "wget: Failed to fetch https://maven.acme.invalid/maven.zip" >&2\r\n  exit 1\r\nfi\r\n',
      '.mvn/wrapper/maven-wrapper.properties': 'distributionUrl=https://maven.acme.invalid/maven.zip\r\n',
    };
    const environment = await installed({ 'pom.xml': pom(), ...main('"built"'), ...wrapper });
    expect(environment.rung).toBe('mvn');
    expect(environment.fallbacks).toMatchObject([{ tried: 'mvnw', cause: 'network' }]);
    expect(await says(environment)).toBe('built');
  });

  it('says where a program does not compile', async () => {
    const { dir, plan } = await planned({ 'pom.xml': pom(), ...main('Nothing.here()') });
    const failure = await failed(harness.install(dir, plan));
    expect(failure).toMatchObject({ code: 'INSTALL_FAILED', data: { cause: 'build-failed' } });
    expect(failure.message).toMatch(/does not compile: Main\.java:\[3,\d+\] cannot find symbol/);
    expect(failure.stderrTail.join('\n')).toContain('cannot find symbol');
  });

  it('names what the repositories do not have', async () => {
    const missing = DEPENDENCY.replace('2.17.2', '99.0.0');
    const { dir, plan } = await planned({ 'pom.xml': pom('', { dependencies: missing }), ...main('1') });
    const failure = await failed(harness.install(dir, plan));
    expect(failure).toMatchObject({ code: 'INSTALL_FAILED', data: { cause: 'version-not-found' } });
    expect(failure.message).toContain('com.fasterxml.jackson.core:jackson-core:jar:99.0.0');
  });
});

/** A wrapper's jar that is none: then the installed Gradle is to be used, and here there is none. */
describe('a broken Gradle wrapper', () => {
  it('is what is told of, not the Gradle that is not here either', async () => {
    const { dir, plan } = await planned({
      'build.gradle.kts': 'plugins { application }\napplication { mainClass = "com.acme.Main" }\n',
      'settings.gradle.kts': 'rootProject.name = "weather"',
      'gradle/wrapper/gradle-wrapper.jar': 'no jar',
      'gradle/wrapper/gradle-wrapper.properties': 'distributionUrl=https\\://gradle.acme.invalid/gradle-8.14-bin.zip',
      ...main('1'),
    });
    const onlyHere = {
      ...plan,
      install: plan.install.map((rung) => ({ ...rung, steps: rung.steps.map(withoutGradle) })),
    };
    const failure = await failed(harness.install(dir, onlyHere));
    expect(failure.message).toContain('Its build wrapper is broken');
    await expect(access(join(dir, 'build'))).rejects.toThrow();
  });
  /** Whether or not this machine has one. */
  const withoutGradle = (step: LaunchPlan['build'][number]) => ({
    ...step,
    program: step.program === 'gradle' ? 'no-gradle-here' : step.program,
  });
});
