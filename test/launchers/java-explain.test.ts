// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Spring writes its own placeholders so
import { describe, expect, it } from 'vitest';
import { explainDotnet } from '../../launchers/dotnet/explain.ts';
import { explainJava } from '../../launchers/java/explain.ts';
import type { CauseKind } from '../../launchers/plan.ts';

const EXIT = { code: 1, signal: null };
const cause = (output: string) => {
  const { kind, detail } = explainJava(output, EXIT);
  return { kind, detail };
};

/** As Maven 3.8 and 3.9, Gradle's wrapper, javac and the JVM printed them. */
describe('the words of Java’s tools', () => {
  it.each<[CauseKind, string, string]>([
    [
      'build-failed',
      'It does not compile: Server.java:[55,42] cannot find symbol',
      '[INFO] BUILD FAILURE\n[ERROR] COMPILATION ERROR : \n[ERROR] /tmp/x/src/main/java/fixture/Server.java:[55,42] cannot find symbol\n[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.1:compile (default-compile) on project broken: Compilation failure',
    ],
    [
      'build-failed',
      'Build failed due to errors',
      '[INFO] BUILD FAILURE\n[ERROR] Failed to execute goal io.quarkus.platform:quarkus-maven-plugin:3.20.0:build (default) on project quarkus: Failed to build quarkus application: io.quarkus.builder.BuildException: Build failure: Build failed due to errors',
    ],
    [
      'build-failed',
      'Main.kt:3:5 Unresolved reference',
      'e: file:///x/src/main/kotlin/Main.kt:3:5 Unresolved reference: foo',
    ],
    [
      'version-not-found',
      'jackson-databind:jar:99.0.0',
      '[ERROR] Failed to execute goal on project noartifact: Could not resolve dependencies for project fixture:noartifact:jar:1.0.0: Could not find artifact com.fasterxml.jackson.core:jackson-databind:jar:99.0.0 in central (https://repository.example/maven2) -> [Help 1]',
    ],
    [
      'version-not-found',
      'jackson-databind:jar:99.0.0',
      '[ERROR] Failed to execute goal on project noartifact: Could not resolve dependencies for project fixture:noartifact:jar:1.0.0: com.fasterxml.jackson.core:jackson-databind:jar:99.0.0 was not found in https://repository.example/maven2 during a previous attempt. This failure was cached in the local repository and resolution is not reattempted until the update interval of central has elapsed or updates are forced -> [Help 1]',
    ],
    [
      'network',
      'repo.acme.invalid',
      '[ERROR] Failed to execute goal on project norepo: Could not resolve dependencies for project fixture:norepo:jar:1.0.0: Failed to collect dependencies at com.acme:inhouse:jar:1: Failed to read artifact descriptor for com.acme:inhouse:jar:1: Could not transfer artifact com.acme:inhouse:pom:1 from/to inhouse (https://repo.acme.invalid/maven): transfer failed for https://repo.acme.invalid/maven/com/acme/inhouse/1/inhouse-1.pom: repo.acme.invalid: Name or service not known -> [Help 1]',
    ],
    [
      'network',
      'gradle.acme.invalid',
      'Downloading https://gradle.acme.invalid/distributions/gradle-9.6.1-bin.zip\n\nException in thread "main" java.net.UnknownHostException: gradle.acme.invalid\n\tat java.base/sun.nio.ch.NioSocketImpl.connect(NioSocketImpl.java:567)',
    ],
    [
      'engine-mismatch',
      'do not go together',
      '[ERROR] COMPILATION ERROR : \n[ERROR] Source option 5 is no longer supported. Use 7 or later.\n[ERROR] Target option 5 is no longer supported. Use 7 or later.',
    ],
    [
      'engine-mismatch',
      'do not go together',
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-enforcer-plugin:3.5.0:enforce (default) on project enforcer: \n[ERROR] Rule 0: org.apache.maven.enforcer.rules.version.RequireMavenVersion failed with message:\n[ERROR] Detected Maven Version: 3.8.7 is not in the allowed range [4.9,).',
    ],
    [
      'install-script-failed',
      'checkstyle',
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-checkstyle-plugin:3.5.0:check (default) on project checkstyle: You have 21 Checkstyle violations. -> [Help 1]',
    ],
    [
      'runtime-too-old',
      'compiled for Java 23',
      '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.13.0:compile (default-compile) on project none: Fatal error compiling: error: release version 23 not supported -> [Help 1]',
    ],
    [
      'runtime-too-old',
      'a newer Java',
      'Error: LinkageError occurred while loading main class A\n\tjava.lang.UnsupportedClassVersionError: A has been compiled by a more recent version of the Java Runtime (class file version 69.0), this version of the Java Runtime only recognizes class file versions up to 61.0',
    ],
    ['entry-missing', 'a.jar does not name', 'no main manifest attribute, in a.jar'],
    [
      'entry-missing',
      'no nope.Main',
      'Error: Could not find or load main class nope.Main\nCaused by: java.lang.ClassNotFoundException: nope.Main',
    ],
    ['entry-missing', 'no none.jar', 'Error: Unable to access jarfile none.jar'],
    [
      'entry-missing',
      'wrapper is broken',
      'Error: Could not find or load main class org.gradle.wrapper.GradleWrapperMain\nCaused by: java.lang.ClassNotFoundException: org.gradle.wrapper.GradleWrapperMain',
    ],
    [
      'missing-module',
      'com/fasterxml/jackson/databind/ObjectMapper',
      'Exception in thread "main" java.lang.NoClassDefFoundError: com/fasterxml/jackson/databind/ObjectMapper\n\tat fixture.Server.<clinit>(Server.java:13)',
    ],
    [
      'missing-setting',
      'ACME_API_KEY is missing',
      'Caused by: org.springframework.util.PlaceholderResolutionException: Could not resolve placeholder \'ACME_API_KEY\' in value "${ACME_API_KEY}" <-- "${acme.api-key}"',
    ],
    [
      'missing-setting',
      'acme.key is missing',
      'java.lang.RuntimeException: Failed to start quarkus\nCaused by: io.smallrye.config.ConfigValidationException: Configuration validation failed:\n\tjava.util.NoSuchElementException: SRCFG00014: The config property acme.key is required but it could not be found in any config source',
    ],
    [
      'missing-setting',
      'ACME_TOKEN is missing',
      'Exception in thread "main" java.lang.IllegalStateException: ACME_TOKEN environment variable is not set\n\tat com.acme.Main.main(Main.java:12)',
    ],
    [
      'missing-service',
      'localhost:5432',
      'org.postgresql.util.PSQLException: Connection to localhost:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.\nCaused by: java.net.ConnectException: Connection refused',
    ],
    [
      'port-taken',
      'taken',
      '***************************\nAPPLICATION FAILED TO START\n***************************\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:\n\nIdentify and stop the process',
    ],
    [
      'unknown',
      'Parameter 0 of constructor',
      "***************************\nAPPLICATION FAILED TO START\n***************************\n\nDescription:\n\nParameter 0 of constructor in com.acme.Weather required a bean of type 'com.acme.Client' that could not be found.\n",
    ],
  ])('mean %s: %s', (kind, detail, output) => {
    expect(cause(output)).toEqual({ kind, detail: expect.stringContaining(detail) });
  });
});

describe('the words of .NET', () => {
  it.each<[CauseKind, string, string]>([
    [
      'runtime-too-old',
      '.NET 9.0',
      'error NETSDK1045: The current .NET SDK does not support targeting .NET 9.0.  Either target .NET 8.0 or lower, or use a version of the .NET SDK that supports .NET 9.0.',
    ],
    [
      'runtime-too-old',
      '8.0.0',
      "You must install or update .NET to run this application.\n\nApp: /x/weather.dll\nArchitecture: x64\nFramework: 'Microsoft.AspNetCore.App', version '8.0.0' (x64)",
    ],
    [
      'engine-mismatch',
      'not installed',
      'The command could not be loaded, possibly because:\n  * You intended to execute a .NET SDK command:\n      A compatible .NET SDK was not found.\n\nRequested SDK version: 8.0.100',
    ],
    [
      'network',
      'NuGet',
      'error NU1301: Unable to load the service index for source https://nuget.example/v3/index.json.',
    ],
    [
      'version-not-found',
      'NuGet',
      'error NU1101: Unable to find package Acme.Weather. No packages exist with this id in source(s): nuget',
    ],
    [
      'build-failed',
      'The build failed',
      "Program.cs(3,1): error CS0103: The name 'x' does not exist in the current context",
    ],
  ])('mean %s: %s', (kind, detail, output) => {
    expect(explainDotnet(output, EXIT)).toMatchObject({ kind, detail: expect.stringContaining(detail) });
  });
});
