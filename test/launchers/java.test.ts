// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Maven and Spring write their own placeholders so
import { describe, expect, it } from 'vitest';
import { createJavaLauncher } from '../../launchers/java.ts';
import { createFileView } from '../support/file-view.ts';
import { planOf, refusalOf, rungs, starts, toolOf } from './plan-of.ts';

type Files = Readonly<Record<string, string>>;

const MAIN =
  'package com.acme;\npublic class Main {\n  public static void main(String[] args) {\n    McpServer.sync(null);\n  }\n}\n';
const SDK = '<dependency><groupId>io.modelcontextprotocol.sdk</groupId><artifactId>mcp</artifactId></dependency>';
const BOOT =
  '<parent><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-parent</artifactId><version>3.4.4</version><relativePath/></parent>';
const BOOT_PLUGIN =
  '<plugin><groupId>org.springframework.boot</groupId><artifactId>spring-boot-maven-plugin</artifactId></plugin>';
const starter = (name: string) =>
  `<dependency><groupId>org.springframework.ai</groupId><artifactId>${name}</artifactId></dependency>`;
const WRAPPER: Files = {
  mvnw: '#!/bin/sh\n',
  '.mvn/wrapper/maven-wrapper.properties': 'distributionUrl=…/apache-maven-3.9.9-bin.zip\n',
};

const pom = ({ head = '', name = 'weather', properties = '', dependencies = SDK, plugins = '', tail = '' }): string =>
  `<project>${head}<artifactId>${name}</artifactId><version>1.2</version><properties>${properties}</properties>
<dependencies>${dependencies}</dependencies>${tail}<build><plugins>${plugins}</plugins></build></project>`;

const shade = (configuration = ''): string =>
  `<plugin><artifactId>maven-shade-plugin</artifactId><executions><execution><goals><goal>shade</goal></goals></execution></executions><configuration>${configuration}</configuration></plugin>`;

/** Start lines without what every JVM gets. */
const lines = (files: Files, given = {}): string[] =>
  starts(planOf(files, given)).map((line) => line.replace('-Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 ', ''));

const maven = (files: Files, given = {}): string[] => {
  const [first] = planOf(files, given).install;
  return (first?.steps ?? []).map(
    ({ program, args, cwd }) => [program, ...args].join(' ') + (cwd === '' ? '' : ` @ ${cwd}`),
  );
};

const SOURCE: Files = { 'src/main/java/com/acme/Main.java': MAIN };
const LOOSE = 'java -cp target/classes:target/mcp-supervisor/* com.acme.Main';
const STDIO =
  '-Dspring.ai.mcp.server.stdio=true -Dspring.main.web-application-type=none -Dspring.main.banner-mode=off -Dlogging.pattern.console=';
const HTTP = '-Dserver.port={port} -Dserver.address={host}';

describe('the program of a Maven project', () => {
  it.each<[string, string, string[]]>([
    ['without a jar of its own: classes and what they need', pom({}), [LOOSE]],
    [
      'shaded, with a main class',
      pom({
        plugins: shade('<transformers><transformer><mainClass>com.acme.Main</mainClass></transformer></transformers>'),
      }),
      ['java -jar target/weather-1.2.jar', LOOSE],
    ],
    ['shaded without one', pom({ plugins: shade() }), ['java -cp target/weather-1.2.jar com.acme.Main', LOOSE]],
    [
      'shaded beside the thin one',
      pom({
        plugins: shade(
          '<shadedArtifactAttached>true</shadedArtifactAttached><shadedClassifierName>all</shadedClassifierName><x><mainClass>com.acme.Main</mainClass></x>',
        ),
      }),
      ['java -jar target/weather-1.2-all.jar', LOOSE],
    ],
    [
      'assembled',
      pom({
        plugins:
          '<plugin><artifactId>maven-assembly-plugin</artifactId><configuration><archive><manifest><mainClass>com.acme.Main</mainClass></manifest></archive><descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs></configuration><executions><execution><goals><goal>single</goal></goals></execution></executions></plugin>',
      }),
      ['java -jar target/weather-1.2-jar-with-dependencies.jar', LOOSE],
    ],
    [
      'of mvn exec:java',
      pom({
        plugins:
          '<plugin><artifactId>exec-maven-plugin</artifactId><configuration><mainClass>com.acme.Other</mainClass></configuration></plugin>',
      }),
      ['java -cp target/classes:target/mcp-supervisor/* com.acme.Other'],
    ],
    [
      'with a jar that names its libraries',
      pom({
        plugins:
          '<plugin><artifactId>maven-jar-plugin</artifactId><configuration><archive><manifest><addClasspath>true</addClasspath><mainClass>com.acme.Main</mainClass></manifest></archive></configuration></plugin><plugin><artifactId>maven-dependency-plugin</artifactId><executions><execution><goals><goal>copy-dependencies</goal></goals></execution></executions></plugin>',
      }),
      ['java -jar target/weather-1.2.jar', LOOSE],
    ],
    [
      'by its final name, with properties filled in',
      pom({
        properties: '<revision>3</revision><app>w-${revision}</app>',
        tail: '<x/>',
        plugins: shade('<mainClass>com.acme.Main</mainClass><finalName>${app}</finalName>'),
      }),
      ['java -jar target/w-3.jar', LOOSE],
    ],
    [
      'of Quarkus, over stdio',
      pom({
        dependencies:
          '<dependency><groupId>io.quarkiverse.mcp</groupId><artifactId>quarkus-mcp-server-stdio</artifactId></dependency>',
        plugins: '<plugin><artifactId>quarkus-maven-plugin</artifactId></plugin>',
      }),
      ['java -jar target/quarkus-app/quarkus-run.jar'],
    ],
    [
      'of Quarkus, over HTTP and as one jar',
      pom({
        properties: '<quarkus.package.jar.type>uber-jar</quarkus.package.jar.type>',
        dependencies:
          '<dependency><groupId>io.quarkiverse.mcp</groupId><artifactId>quarkus-mcp-server-sse</artifactId></dependency>',
        plugins: '<plugin><artifactId>quarkus-maven-plugin</artifactId></plugin>',
      }),
      ['java -Dquarkus.http.port={port} -Dquarkus.http.host={host} -jar target/weather-1.2-runner.jar'],
    ],
    [
      'with a preview of Java',
      pom({
        properties: '<maven.compiler.release>21</maven.compiler.release>',
        plugins:
          '<plugin><artifactId>maven-compiler-plugin</artifactId><configuration><compilerArgs><arg>--enable-preview</arg></compilerArgs></configuration></plugin>',
      }),
      ['java --enable-preview -cp target/classes:target/mcp-supervisor/* com.acme.Main'],
    ],
  ])('%s', (_, text, expected) => {
    expect(lines({ 'pom.xml': text, ...SOURCE })).toEqual(expected);
  });

  it('is brought together after all when the jar that was foretold is not there', () => {
    const files = { 'pom.xml': pom({ plugins: shade('<mainClass>com.acme.Main</mainClass>') }), ...SOURCE };
    expect(planOf(files).build.map(({ args }) => args.at(-1))).toEqual(['-DoutputDirectory=target/mcp-supervisor']);
  });

  it('is built by goals that the project does not run by itself', () => {
    const assembly =
      '<plugin><artifactId>maven-assembly-plugin</artifactId><configuration><descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs></configuration></plugin>';
    expect(maven({ 'pom.xml': pom({ plugins: assembly }), ...SOURCE })[0]).toMatch(/ package assembly:single$/);
  });
});

describe('Spring', () => {
  const boot = (name: string, more = {}) =>
    pom({ head: BOOT, dependencies: starter(name), plugins: BOOT_PLUGIN, ...more });
  const JAR = '-jar target/weather-1.2.jar';
  const ALOUD =
    '-Dspring.ai.mcp.server.stdio=true -Dspring.main.web-application-type=none -Dspring.main.banner-mode=off -Dlogging.pattern.console=%level %logger{0}: %msg%n%wEx -Dlogging.level.root=error';

  it.each<[string, Files, string[]]>([
    [
      'without a banner or a log on stdout (trap 28); one that died without a word then says why',
      { 'pom.xml': boot('spring-ai-starter-mcp-server') },
      [`java ${STDIO} ${JAR}`, `java ${ALOUD} ${JAR}`],
    ],
    [
      'with the older starter',
      { 'pom.xml': boot('spring-ai-mcp-server-spring-boot-starter') },
      [`java ${STDIO} ${JAR}`, `java ${ALOUD} ${JAR}`],
    ],
    [
      'over HTTP by its starter, on the port that it is given',
      { 'pom.xml': boot('spring-ai-starter-mcp-server-webmvc') },
      [`java ${HTTP} ${JAR}`, `java ${STDIO} ${JAR}`],
    ],
    [
      'over stdio first where its configuration says so',
      {
        'pom.xml': boot('spring-ai-starter-mcp-server-webflux'),
        'src/main/resources/application.yml': 'spring:\n  ai:\n    mcp:\n      server:\n        stdio: true\n',
      },
      [`java ${STDIO} ${JAR}`, `java ${HTTP} ${JAR}`],
    ],
    [
      'with its profile for stdio',
      {
        'pom.xml': boot('spring-ai-starter-mcp-server-webmvc'),
        'src/main/resources/application-stdio.properties': 'spring.ai.mcp.server.stdio=true\n',
      },
      [`java -Dspring.profiles.active=stdio ${STDIO} ${JAR}`, `java ${HTTP} ${JAR}`],
    ],
    [
      'with the flags that its README gives',
      {
        'pom.xml': boot('spring-ai-starter-mcp-server-webmvc'),
        'README.md':
          '{"command": "java", "args": ["-Dtransport.mode=stdio", "-Dspring.main.web-application-type=none", "-Dkey=YOUR_KEY", "-jar", "/path/to/weather-1.2.jar"]}',
      },
      [
        `java -Dtransport.mode=stdio -Dspring.main.web-application-type=none -Dspring.ai.mcp.server.stdio=true -Dspring.main.banner-mode=off -Dlogging.pattern.console= ${JAR}`,
        `java ${HTTP} ${JAR}`,
      ],
    ],
    [
      'under the classifier of its executable jar',
      {
        'pom.xml': boot('spring-ai-starter-mcp-server-webmvc', {
          plugins: BOOT_PLUGIN.replace(
            '</plugin>',
            '<configuration><classifier>exec</classifier></configuration></plugin>',
          ),
        }),
      },
      [`java ${HTTP} -jar target/weather-1.2-exec.jar`, `java ${STDIO} -jar target/weather-1.2-exec.jar`],
    ],
    [
      'without MCP: its pages',
      {
        'pom.xml': boot('x').replace(
          starter('x'),
          '<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter-web</artifactId></dependency>',
        ),
      },
      [`java ${HTTP} ${JAR}`],
    ],
  ])('%s', (_, files, expected) => {
    expect(lines({ ...files, ...SOURCE })).toEqual(expected);
  });

  it.each<[string, string | null]>([
    ['spring.ai.mcp.server.sse-endpoint=/events', '/events'],
    [
      'spring.ai.mcp.server.protocol=STREAMABLE\nspring.ai.mcp.server.streamable-http.mcp-endpoint=/api/mcp',
      '/api/mcp',
    ],
    ['server.servlet.context-path=/weather', '/weather/sse'],
    ['spring.ai.mcp.server.sse-endpoint=/sse', null],
    ['spring.ai.mcp.server.protocol=STREAMABLE', null],
  ])('serves where %s says', (properties, endpoint) => {
    const files = {
      'pom.xml': boot('spring-ai-starter-mcp-server-webmvc'),
      'src/main/resources/application.properties': properties,
    };
    expect(planOf(files).endpoint).toBe(endpoint);
  });

  it('wants what its configuration and its classes leave to the environment', () => {
    const { wants } = planOf({
      'pom.xml': boot('spring-ai-starter-mcp-server'),
      'src/main/resources/application.yml':
        'acme:\n  key: ${ACME_API_KEY}\n  url: ${ACME_URL:https://acme.example}\n  same: ${acme.key}\n',
      'src/main/java/com/example/demo/Service.java':
        'package com.example.demo; class Service { @Value("${acme.region}") String a; @Value("${acme.key}") String b; String c = System.getenv("ACME_TOKEN"); }',
    });
    expect(wants.map(({ name, required }) => `${name}${required ? '!' : ''}`)).toEqual([
      'ACME_API_KEY!',
      'ACME_REGION!',
      'ACME_TOKEN',
      'ACME_URL',
    ]);
  });
});

describe('the build of a Maven project', () => {
  const files: Files = { 'pom.xml': pom({}), ...SOURCE };
  const GOALS = 'package dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=target/mcp-supervisor';

  it('is done by the installed Maven, and by a newer one where that is too old', () => {
    const plan = planOf(files);
    expect(maven(files)).toEqual([`mvn -B -ntp -Dstyle.color=never -Dmaven.test.skip=true ${GOALS}`]);
    expect(rungs(plan)).toEqual(['mvn', 'without-checks', 'with-tests-compiled', 'newer-maven']);
    expect(plan.install.at(-1)).toMatchObject({ cures: ['engine-mismatch'] });
    expect(toolOf(plan, 'mvn')).toEqual({ name: 'mvn', version: null });
  });

  it('is done by a whole wrapper, whatever its mode, and by the installed Maven where it can not be', () => {
    const plan = planOf({ ...files, ...WRAPPER });
    expect(maven({ ...files, ...WRAPPER })).toEqual([
      `sh mvnw -B -ntp -Dstyle.color=never -Dmaven.test.skip=true ${GOALS}`,
    ]);
    expect(rungs(plan).at(-1)).toBe('mvn');
    expect(toolOf(plan, 'mvn')).toBeUndefined();
  });

  it('makes a wrapper with Windows line ends readable first (trap 26)', () => {
    const [sed, mvnw] = maven({ ...files, ...WRAPPER, mvnw: '#!/bin/sh\r\n' });
    expect(sed).toBe('sed -i.crlf s/\r$// mvnw');
    expect(mvnw).toMatch(/^sh mvnw /);
  });

  it('leaves a wrapper without its properties aside', () => {
    expect(maven({ ...files, mvnw: '#!/bin/sh\n' })[0]).toMatch(/^mvn /);
  });

  it('tells an old Maven what only newer ones read', () => {
    const release = pom({ properties: '<maven.compiler.release>21</maven.compiler.release>' });
    expect(maven({ 'pom.xml': release, ...SOURCE })[0]).toContain(
      '-Dmaven.compiler.source=21 -Dmaven.compiler.target=21',
    );
  });

  const MODULES: Files = {
    'pom.xml':
      '<project><artifactId>all</artifactId><version>1</version><packaging>pom</packaging><modules><module>common</module><module>servers/weather</module></modules><properties><java.version>21</java.version></properties></project>',
    'common/pom.xml': pom({ name: 'common', dependencies: '' }),
    'servers/weather/pom.xml': pom({
      head: '<parent><groupId>a</groupId><artifactId>all</artifactId><version>1</version><relativePath>../../pom.xml</relativePath></parent>',
    }),
    'servers/weather/src/main/java/com/acme/Main.java': MAIN,
  };

  it('builds the module that serves, and what it needs of its siblings, from the root', () => {
    const plan = planOf(MODULES);
    expect(plan.projectDir).toBe('servers/weather');
    expect(maven(MODULES)).toEqual([
      `mvn -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -pl servers/weather -am ${GOALS}`,
    ]);
    expect(starts(plan)[0]).toMatch(/com\.acme\.Main @ servers\/weather$/);
    expect(toolOf(plan, 'java')).toEqual({ name: 'java', version: '>=21' });
  });

  it('lists several modules that serve', () => {
    const more = {
      ...MODULES,
      'common/pom.xml': pom({ name: 'common' }),
      'common/src/main/java/com/acme/Main.java': MAIN,
    };
    expect(refusalOf(more, { name: 'servers' })).toMatchObject({
      code: 'DETECT_AMBIGUOUS',
      choices: ['common', 'servers/weather'],
    });
  });
});

describe('the Java that a project wants', () => {
  it.each<[string, Files, string | null]>([
    [
      'maven.compiler.release',
      { 'pom.xml': pom({ properties: '<maven.compiler.release>24</maven.compiler.release>' }) },
      '>=24',
    ],
    [
      'java.version, through another property',
      {
        'pom.xml': pom({
          properties: '<java.version>21</java.version><maven.compiler.source>${java.version}</maven.compiler.source>',
        }),
      },
      '>=21',
    ],
    [
      '1.8',
      { 'pom.xml': pom({ dependencies: '', properties: '<maven.compiler.source>1.8</maven.compiler.source>' }) },
      '>=8',
    ],
    [
      'the compiler plugin',
      {
        'pom.xml': pom({
          plugins:
            '<plugin><artifactId>maven-compiler-plugin</artifactId><configuration><release>22</release></configuration></plugin>',
        }),
      },
      '>=22',
    ],
    ['Spring Boot 3 alone', { 'pom.xml': pom({ head: BOOT, plugins: BOOT_PLUGIN, dependencies: '' }) }, '>=17'],
    ['the MCP SDK alone', { 'pom.xml': pom({}) }, '>=17'],
    ['.sdkmanrc', { 'pom.xml': pom({}), '.sdkmanrc': 'java=21.0.2-tem\n' }, '>=21'],
    [
      'a preview: that one and no other',
      {
        'pom.xml': pom({
          properties: '<java.version>23</java.version>',
          plugins:
            '<plugin><artifactId>maven-compiler-plugin</artifactId><configuration><compilerArgs>--enable-preview</compilerArgs></configuration></plugin>',
        }),
      },
      '>=23 <24',
    ],
    [
      'a Gradle toolchain, and what that Gradle runs on',
      {
        'build.gradle.kts':
          'plugins { application }\nkotlin { jvmToolchain(17) }\napplication { mainClass = "com.acme.Main" }',
        'gradle/wrapper/gradle-wrapper.jar': '',
        'gradle/wrapper/gradle-wrapper.properties': 'distributionUrl=https\\://…/gradle-8.5-bin.zip',
      },
      '>=17 <22',
    ],
    [
      'a version of the catalog',
      {
        'build.gradle.kts':
          'plugins { application }\njava { toolchain { languageVersion = JavaLanguageVersion.of(libs.versions.java.get()) } }',
        'gradle/libs.versions.toml': '[versions]\njava = "21"\n',
      },
      '>=21',
    ],
  ])('by %s', (_, files, version) => {
    expect(toolOf(planOf({ ...files, ...SOURCE }), 'java')).toEqual({ name: 'java', version });
  });
});

describe('the main class of a Maven project that names none', () => {
  const find = (sources: Files) =>
    lines({ 'pom.xml': pom({}), ...sources })[0]
      ?.split(' ')
      .at(-1);

  it.each<[string, Files, string]>([
    ['the only one', SOURCE, 'com.acme.Main'],
    [
      'in a package called example',
      { 'src/main/java/com/example/App.java': MAIN.replace('com.acme', 'com.example').replace('Main', 'App') },
      'com.example.App',
    ],
    ['Kotlin’s', { 'src/main/kotlin/server.kt': 'package a.b\nfun main() { }' }, 'a.b.ServerKt'],
    [
      'Kotlin’s under another name',
      { 'src/main/kotlin/s.kt': '@file:JvmName("Weather")\npackage a\nsuspend fun main(args: Array<String>) {}' },
      'a.Weather',
    ],
    [
      'of a Kotlin object',
      { 'src/main/kotlin/s.kt': 'package a\nobject Weather {\n  @JvmStatic\n  fun main(args: Array<String>) {}\n}' },
      'a.Weather',
    ],
    [
      'the server before the client',
      { ...SOURCE, 'src/main/java/com/acme/Client.java': MAIN.replace('McpServer.sync', 'McpClient.sync') },
      'com.acme.Main',
    ],
    [
      'of several servers the one for stdio',
      {
        'src/main/java/a/McpSseServer.java': MAIN.replace('com.acme', 'a'),
        'src/main/java/a/McpStdioServer.java': MAIN.replace('com.acme', 'a'),
      },
      'a.McpStdioServer',
    ],
    [
      'the application before its helpers',
      {
        'src/main/java/a/Migration.java': MAIN.replace('com.acme', 'a'),
        'src/main/java/a/WeatherApplication.java': `@SpringBootApplication\n${MAIN.replace('com.acme', 'a')}`,
      },
      'a.WeatherApplication',
    ],
    ['not that of tests', { ...SOURCE, 'src/test/java/com/acme/McpServer.java': MAIN }, 'com.acme.Main'],
  ])('is %s', (_, sources, expected) => {
    expect(find(sources)).toBe(expected);
  });

  it('passes the others over by file and line', () => {
    const { passedOver } = planOf({ 'pom.xml': pom({}), ...SOURCE, 'src/main/java/com/acme/Client.java': MAIN });
    expect(passedOver).toContainEqual({
      file: 'src/main/java/com/acme/Client.java',
      line: 3,
      what: 'main method of com.acme.Client',
      why: 'another one is more likely the server',
    });
  });
});

describe('a Gradle project', () => {
  const GRADLE_WRAPPER: Files = {
    'gradle/wrapper/gradle-wrapper.jar': '',
    'gradle/wrapper/gradle-wrapper.properties': 'distributionUrl=https\\://…/gradle-8.14-bin.zip',
  };
  const SETTINGS = 'rootProject.name = "weather"\n';
  const KOTLIN_SDK = 'dependencies { implementation("io.modelcontextprotocol:kotlin-sdk:0.8.0") }\n';
  const task = (files: Files) => planOf(files).install[0]?.steps[0]?.args.at(-1);

  it.each<[string, Files, string, string[]]>([
    [
      'that is an application: its start script, which becomes the JVM',
      {
        'build.gradle.kts': `plugins { application }\n${KOTLIN_SDK}application { mainClass.set("com.acme.MainKt") }`,
        'settings.gradle.kts': SETTINGS,
      },
      ':installDist',
      ['sh build/install/weather/bin/weather'],
    ],
    [
      'with a shadow jar, its plugin from a catalog',
      {
        'build.gradle.kts':
          'plugins {\n  alias(libs.plugins.shadow)\n  application\n}\nversion = "0.1.0"\ndependencies { implementation(libs.mcp.kotlin.server) }\napplication { mainClass = "com.acme.MainKt" }',
        'settings.gradle.kts': SETTINGS,
        'gradle/libs.versions.toml':
          '[libraries]\nmcp-kotlin-server = { group = "io.modelcontextprotocol", name = "kotlin-sdk-server" }\n[plugins]\nshadow = { id = "com.gradleup.shadow", version = "9.0" }\n',
      },
      ':shadowJar',
      ['java -jar build/libs/weather-0.1.0-all.jar'],
    ],
    [
      'in Groovy, with a shadow jar under a name of its own',
      {
        'build.gradle': `plugins {\n  id 'java' // not id 'application'\n  id 'com.github.johnrengelman.shadow' version '8.1.1'\n}\n${KOTLIN_SDK}jar { manifest { attributes 'Main-Class': 'com.acme.Main' } }\nshadowJar {\n  archiveBaseName = 'server'\n  archiveClassifier = ''\n  archiveVersion = ''\n}`,
        'settings.gradle': "rootProject.name = 'weather'",
      },
      ':shadowJar',
      ['java -jar build/libs/server.jar'],
    ],
    [
      'of Spring Boot',
      {
        'build.gradle.kts':
          'plugins {\n  id("org.springframework.boot") version "3.5.4"\n}\nversion = "1"\ndependencies { implementation("org.springframework.ai:spring-ai-starter-mcp-server-webmvc") }\ntasks.bootJar { archiveFileName.set("mcp.jar") }',
      },
      ':bootJar',
      [`java ${HTTP} -jar build/libs/mcp.jar`, `java ${STDIO} -jar build/libs/mcp.jar`],
    ],
    [
      'of Quarkus',
      {
        'build.gradle':
          "plugins { id 'io.quarkus' }\n".replace('{ ', '{\n') +
          "dependencies { implementation 'io.quarkiverse.mcp:quarkus-mcp-server-stdio:1.7.2' }",
      },
      ':quarkusBuild',
      ['java -jar build/quarkus-app/quarkus-run.jar'],
    ],
    [
      'with a fat jar of its own making',
      {
        'build.gradle': `apply plugin: 'java'\n${KOTLIN_SDK}task fatJar(type: Jar) {\n  archiveClassifier = 'fat'\n  manifest { attributes 'Main-Class': 'com.acme.Main' }\n  from { configurations.runtimeClasspath }\n}`,
        'settings.gradle': SETTINGS,
      },
      'fatJar',
      ['java -jar build/libs/weather-fat.jar'],
    ],
    [
      'with conventions in buildSrc',
      {
        'build.gradle.kts': `plugins { id("acme.server") }\n${KOTLIN_SDK}`,
        'settings.gradle.kts': SETTINGS,
        'buildSrc/src/main/kotlin/acme.server.gradle.kts': 'plugins {\n  application\n}\n',
      },
      ':installDist',
      ['sh build/install/weather/bin/weather'],
    ],
    [
      'for several platforms',
      {
        'build.gradle.kts': `plugins {\n  kotlin("multiplatform") version "2.2.0"\n}\n${KOTLIN_SDK}kotlin { jvm { binaries { executable { mainClass.set("a.MainKt") } } } }`,
        'settings.gradle.kts': SETTINGS,
      },
      ':installJvmDist',
      ['sh build/install/weather-jvm/bin/weather-jvm'],
    ],
  ])('%s', (_, files, expected, start) => {
    const all = { ...files, ...GRADLE_WRAPPER };
    expect(task(all)?.endsWith(expected)).toBe(true);
    expect(lines(all)).toEqual(start);
    expect(planOf(all).confidence).toBe('high');
  });

  const APP: Files = {
    'settings.gradle.kts': 'rootProject.name = "weather"\ninclude("core", ":app")\n',
    'build.gradle.kts': 'plugins { kotlin("jvm") version "2.2.0" apply false }',
    'core/build.gradle.kts': 'plugins { `java-library` }',
    'app/build.gradle.kts': `plugins { application }\n${KOTLIN_SDK}application { mainClass = "com.acme.MainKt" }`,
    'app/src/main/kotlin/com/acme/main.kt': 'package com.acme\nfun main() {}',
    ...GRADLE_WRAPPER,
  };

  it('builds one of its projects from the root, by the wrapper’s jar, without a daemon', () => {
    const plan = planOf(APP);
    const [step] = plan.install[0]?.steps ?? [];
    expect(plan.projectDir).toBe('app');
    expect(step).toMatchObject({ program: 'java', cwd: '' });
    expect(step?.args.join(' ')).toBe(
      '-cp gradle/wrapper/gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain --no-daemon --console=plain -Dorg.gradle.welcome=never -Pkotlin.compiler.execution.strategy=in-process :app:installDist',
    );
    expect(starts(plan)).toEqual(['sh build/install/app/bin/app @ app']);
    expect(rungs(plan)).toEqual(['gradle-wrapper', 'gradle']);
    expect(toolOf(plan, 'gradle')).toBeUndefined();
  });

  it('needs the installed Gradle where the wrapper has lost its jar', () => {
    const { 'gradle/wrapper/gradle-wrapper.jar': _, ...rest } = APP;
    const plan = planOf({ ...rest, gradlew: '#!/bin/sh\r\n' });
    expect(rungs(plan)).toEqual(['gradle']);
    expect(toolOf(plan, 'gradle')).toEqual({ name: 'gradle', version: null });
    expect(plan.evidence).toContainEqual({
      file: 'gradlew',
      says: 'lacks its jar or its properties, so the installed Gradle is used',
    });
  });

  it.each([
    ['com.android.application', /is an Android app/],
    ['fabric-loom', /is a part of a game/],
    ['org.jetbrains.intellij.platform', /is a plugin of an IDE/],
  ])('%s is told apart', (id, says) => {
    const refusal = refusalOf({ 'build.gradle.kts': `plugins {\n  id("${id}")\n}\n` });
    expect(refusal).toMatchObject({ code: 'DETECT_UNSUPPORTED', message: expect.stringMatching(says) });
  });
});

describe('after the build', () => {
  const launcher = createJavaLauncher();
  const resolved = (files: Files, built: readonly string[]) => {
    const plan = planOf(files);
    return launcher.resolve(createFileView({ ...files, ...Object.fromEntries(built.map((file) => [file, ''])) }), plan);
  };
  const jarsOf = (files: Files, built: readonly string[]) => resolved(files, built).start.map(({ entry }) => entry);
  const SHADED: Files = { 'pom.xml': pom({ plugins: shade('<mainClass>com.acme.Main</mainClass>') }), ...SOURCE };

  it('the jar is found under its real name, the fat one of two (trap 27)', () => {
    expect(
      jarsOf(SHADED, [
        'target/other-9.jar',
        'target/weather-2.0.jar',
        'target/weather-2.0-sources.jar',
        'target/original-weather-2.0.jar',
      ]),
    ).toEqual(['target/weather-2.0.jar']);
    expect(jarsOf(SHADED, ['target/weather-2.0.jar', 'target/weather-2.0-jar-with-dependencies.jar'])[0]).toBe(
      'target/weather-2.0-jar-with-dependencies.jar',
    );
    const { start } = resolved(SHADED, ['target/weather-2.0.jar']);
    expect(start[0]?.command.args.at(-1)).toBe('target/weather-2.0.jar');
  });

  it('the classes are started only with what they need beside them', () => {
    const classes = 'target/classes/com/acme/Main.class';
    expect(jarsOf(SHADED, ['target/weather-1.2.jar', classes])).toEqual(['target/weather-1.2.jar']);
    expect(jarsOf(SHADED, [classes, 'target/mcp-supervisor/mcp.jar'])).toEqual(['target/weather-1.2.jar', classes]);
  });

  it('a start script is found under the name that the build gave it', () => {
    const files = { 'build.gradle.kts': 'plugins { application }\napplication { mainClass = "a.MainKt" }', ...SOURCE };
    const built = ['build/install/acme-weather/bin/acme-weather', 'build/install/acme-weather/bin/acme-weather.bat'];
    expect(jarsOf(files, built)).toEqual(['build/install/acme-weather/bin/acme-weather']);
  });
});

describe('one file', () => {
  it('of JBang is built and started by it', () => {
    const plan = planOf({
      'weather.java':
        '///usr/bin/env jbang "$0" "$@" ; exit $?\n//JAVA 21\n//DEPS io.quarkiverse.mcp:quarkus-mcp-server-stdio:1.7.2\npublic class weather { @Tool String echo(String m) { return m; } }',
    });
    expect(starts(plan)).toEqual(['jbang --quiet weather.java']);
    expect(plan.tools).toEqual([
      { name: 'java', version: '>=21' },
      { name: 'jbang', version: null },
    ]);
    expect(plan.confidence).toBe('high');
  });

  it('without dependencies is compiled as it starts', () => {
    const plan = planOf({
      'Weather.java': 'class Weather { public static void main(String[] a) { var m = "tools/list"; } }',
    });
    expect(starts(plan)[0]).toMatch(/^java .*Weather\.java$/);
  });
});

describe('what is no program', () => {
  it('is refused with what was looked for', () => {
    expect(refusalOf({ 'pom.xml': pom({}) })).toMatchObject({
      code: 'DETECT_NOT_A_SERVER',
      evidence: expect.arrayContaining([
        { file: 'pom.xml', says: 'depends on io.modelcontextprotocol.sdk:mcp, so it may be a library for servers' },
      ]),
    });
  });

  it('is refused with the line where its pom can not be read', () => {
    expect(refusalOf({ 'pom.xml': '<project>\n<name>\n</project>' })).toMatchObject({
      code: 'DETECT_BAD_MANIFEST',
      message: 'pom.xml:3: is not valid XML: </project> closes <name>',
    });
  });
});
