/** What Maven, Gradle, javac, kotlinc and the JVM print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

const OWN_JAVA = 'Install a newer JDK (`sudo apt install default-jdk`, `sdk install java`), or point JAVA_HOME at one.';

const NETWORK =
  'Check the network and your Maven or Gradle settings (proxy, mirror), then try again. Where only the build tool itself can not be downloaded, install it: it is then used instead.';

export const JAVA_PATTERNS: readonly Pattern[] = [
  {
    kind: 'runtime-too-old',
    pattern:
      /UnsupportedClassVersionError|(?:class file|compiled code) has wrong version|compiled by a more recent version of the Java Runtime|requires at least JVM runtime version (\d+)|compatible with Java (\d+)|This application requires Java (\d+)|Incompatible Java|needs to be run (?:with|on) Java (\d+)|requires? (?:a )?(?:JVM|Java|JDK) (\d+) or (?:later|newer|higher)/,
    says: 'It needs a newer Java than it got',
    hint: OWN_JAVA,
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /(?:error: )?(?:release version|invalid (?:target|source) release:?|invalid flag: --release|Unknown JVM target version:) ?(\d+(?:\.\d+)?)(?: not supported)?/,
    says: 'It is compiled for Java $1, which the installed one is too old for',
    hint: 'Install JDK $1 or newer, or point JAVA_HOME at one.',
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /Cannot find a Java installation[^\n]*matching[^\n]*languageVersion=(\d+)|No matching toolchains? found[^\n]*?(\d+)|Cannot find matching toolchain definitions/,
    says: 'It is built with exactly JDK $1, which is not installed',
    hint: 'Install JDK $1 beside the others.',
  },
  {
    kind: 'engine-mismatch',
    // What a Maven of before 2022 says of projects of today.
    pattern:
      /requires Maven version|Detected Maven Version|Source option \d+ is no longer supported|Unrecognized option: -ntp|The requested optional extension|Unsupported class file major version (\d+)|Minimum supported Gradle version is ([\d.]+)|requires at least Gradle ([\d.]+)|requires Gradle/,
    says: 'The build tool and the project, or its Java, are of versions that do not go together',
    hint: 'Install a recent Maven or Gradle, or point JAVA_HOME at the JDK that the project is made for.',
  },
  {
    kind: 'entry-missing',
    pattern:
      /Could not find or load main class org\.(?:gradle\.wrapper|apache\.maven\.wrapper)|Unable to access jarfile ([^\s]*wrapper\.jar)|cannot read distributionUrl|distributionUrl is not valid/,
    says: 'Its build wrapper is broken',
    hint: 'Install Maven or Gradle; it is then used instead.',
  },
  {
    kind: 'missing-service',
    pattern:
      /Connection to (\S+:\d+) refused|Communications link failure|Unable to (?:acquire|open) JDBC Connection|Failed to (?:configure a DataSource|obtain JDBC Connection)|Failed to determine a suitable driver class|MongoSocketOpenException|RedisConnectionException|Cannot get Jedis connection/,
    says: 'It needs a database or another service that it could not reach',
    hint: 'Start the service, or give its address and login with --env.',
  },
  {
    kind: 'network',
    pattern:
      /Could not transfer artifact \S+ from\/to \S+ \(\w+:\/\/([^\s/)]+)|Downloading \w+:\/\/([\w.-]+)\/\S*[\s\S]*?(?:Exception|timed out)|Unknown host[: ]+(\S+)|UnknownHostException: ([\w.-]+)|Could not (?:GET|HEAD) '([^']+)'|Cannot access (\S+) \(\S+\) in offline mode/,
    says: '$1 could not be reached',
    hint: NETWORK,
  },
  {
    kind: 'network',
    pattern:
      /Could not transfer artifact|(?:wget|curl): [^\n]*(?:Failed to fetch|unable to resolve|failed)|No address associated with hostname|PKIX path building failed|status code: 50\d/,
    says: 'A repository could not be reached',
    hint: NETWORK,
  },
  {
    kind: 'missing-module',
    pattern:
      /(?:Could not find artifact|Failure to find|Could not resolve dependencies[^\n]*:) ?\S*:(?:test-jar|jar:tests)[:\w.-]*/,
    says: 'A module is made of another’s tests',
  },
  {
    kind: 'version-not-found',
    pattern:
      /([\w.-]+:[\w.:-]+) was not found in \S+ during a previous attempt|Could not find artifact ([^\s]+)|Failure to find ([^\s]+)|Could not find ([\w.-]+:[\w.-]+:[\w.+-]+)|Plugin \[id: '([^']+)'[^\n]*was not found|Plugin ([\w.:-]+) or one of its dependencies could not be resolved|Non-resolvable (?:parent|import) POM[^\n]*?:? ?(?:for )?([\w.:-]*)|No versions? (?:available for|matches) ([\w.:-]+)/,
    says: 'The repositories do not have $1',
    hint: 'It may lie in a repository that needs a login, or was never published: report it to the plugin’s authors.',
  },
  {
    kind: 'install-script-failed',
    pattern:
      /Failed to execute goal [^\n]*?((?:checkstyle|spotless|spotbugs|findbugs|pmd|enforcer|license|rat|jacoco|javadoc|gpg|formatter|sortpom|dependency-check|git-commit-id|buildnumber|frontend)-?[\w-]*?plugin)|Execution failed for task '([^']*(?:[cC]heckstyle|spotless|detekt|ktlint|Dokka|javadoc)[^']*)'/,
    says: 'A step of its build that is no part of the program failed ($1)',
  },
  {
    kind: 'build-failed',
    pattern:
      /\[ERROR\] \S*?([\w$]+\.(?:java|kt):\[?\d+[^\n]*)|^e: \S*?([\w$]+\.kts?:\d+[^\n]*)|^\S*?([\w$]+\.java:\d+: error:[^\n]*)/m,
    says: 'It does not compile: $1',
  },
  {
    kind: 'build-failed',
    pattern: /Failed to execute goal \S+ \([^)]*\) on project \S+: ([^\n]+)|\* What went wrong:\n([^\n]+)/,
    says: 'The build failed: $1',
  },
  {
    kind: 'build-failed',
    pattern:
      /COMPILATION ERROR|Compilation (?:failure|failed)|Compilation error\.|Execution failed for task|Failed to execute goal|\berror: cannot find symbol|BUILD FAILED|A problem occurred (?:evaluating|configuring)|Non-parseable POM|The build could not read|BUILD FAILURE/,
    says: 'The build failed',
  },
  {
    kind: 'missing-setting',
    pattern: /Could not resolve placeholder '([^']+)'/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env: the name in capitals, its dots and dashes as underscores.',
  },
  {
    kind: 'missing-setting',
    // MicroProfile's way of saying the same.
    pattern: /SRCFG00014: [^\n]*?property ([\w.-]+)|NoSuchElementException: [^\n]*?config property ([\w.-]+)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env: the name in capitals, its dots and dashes as underscores.',
  },
  {
    kind: 'missing-setting',
    pattern:
      /Property:\s+([\w.-]+)\s+Value: "null"|Property: ([\w.-]+)[\s\S]{0,200}?Reason: must not be (?:null|blank|empty)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env: the name in capitals, its dots and dashes as underscores.',
  },
  {
    kind: 'missing-service',
    pattern: /java\.net\.(?:Connect|NoRouteToHost|SocketTimeout)Exception[^\n]*|ConnectTimeoutException[^\n]*/,
    says: 'It needs a service that it could not reach',
    hint: 'Start the service, or give its address and login with --env.',
  },
  {
    kind: 'port-taken',
    pattern: /Web server failed to start\. Port (\d+) was already in use|java\.net\.BindException/,
    says: 'The port that it wants is taken',
  },
  {
    kind: 'entry-missing',
    pattern: /no main manifest attribute, in (\S+)/,
    says: 'The jar $1 does not name its main class',
    hint: 'Give the command with --command, e.g. --command "java -cp <jar> <main class>".',
  },
  {
    kind: 'entry-missing',
    pattern:
      /Could not find or load main class (\S+)|Unable to access jarfile (\S+)|Main method not found in class (\S+?),/,
    says: 'There is no $1 to start',
  },
  {
    kind: 'missing-module',
    pattern: /(?:NoClassDefFoundError|ClassNotFoundException): ([\w./$]+)/,
    says: 'The class $1 is missing',
    hint: 'A dependency is not where the program looks: report it to the plugin’s authors, or name a jar with everything inside with --command.',
  },
  {
    kind: 'incompatible-dependency',
    pattern: /NoSuchMethodError: ([^\n]+)|NoSuchFieldError|AbstractMethodError|IncompatibleClassChangeError/,
    says: 'A dependency is of a version that it was not written for',
  },
  {
    kind: 'missing-library',
    pattern: /UnsatisfiedLinkError: ([^\n]+)|HeadlessException|No X11 DISPLAY variable/,
    says: 'It needs a library of the system ($1)',
  },
  {
    kind: 'unknown',
    pattern:
      /Could not create the Java Virtual Machine|Could not reserve enough space|insufficient memory for the Java Runtime/,
    says: 'The Java virtual machine could not be started',
    hint: 'Correct the options for the JVM, or free some memory.',
  },
  {
    kind: 'unknown',
    pattern: /APPLICATION FAILED TO START[\s\S]*?Description:\s+([^\n]+)/,
    says: 'Spring could not start it: $1',
    hint: 'Correct what the last lines name; settings go into --env.',
  },
];

export const explainJava = (output: string, exit: ExitLike): Cause => explainWith(JAVA_PATTERNS, output, exit);
