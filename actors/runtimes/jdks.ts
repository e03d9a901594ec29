/** Java development kits: where this system and version managers keep them, and which of them a plan gets. */

import { readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tool } from '../../launchers/plan.ts';
import type { ActorContext } from '../context.ts';
import { type Found, isExecutable, onPath } from './find.ts';
import { newestFirst, satisfies } from './versions.ts';

type CallerEnv = ActorContext['callerEnv'];

/**
 * The user's own choice (JAVA_HOME, then PATH) where the plan wants none in particular; else, of those that fit, the one
 * nearest to what the plan names: annotation processors and build tools break on a Java that is newer than they are.
 */
export async function findJdk(
  tool: Tool,
  callerEnv: CallerEnv,
  ask: (java: string) => Promise<Found | null>,
): Promise<{ found: Found | null; others: Found[] }> {
  const answered: Found[] = [];
  for (const home of await javaHomes(callerEnv)) {
    const answer = (await released(home)) ?? (await ask(join(home, 'bin', 'java')));
    if (answer !== null) answered.push(answer);
  }
  const fitting = answered.filter(({ version }) => satisfies('java', version, tool.version));
  const found = tool.version === null ? fitting[0] : fitting.sort((a, b) => newestFirst(b.version, a.version))[0];
  return { found: found ?? null, others: answered };
}

/** Every kit's home once, the user's own choice first. One without a compiler can't build anything and is left out. */
async function javaHomes(callerEnv: CallerEnv): Promise<string[]> {
  const homes = new Set<string>();
  for (const place of await places(callerEnv)) {
    const java = join(place, 'bin', 'java');
    if (!(await isExecutable(java))) continue;
    const home = dirname(dirname(await realpath(java)));
    if (await isExecutable(join(home, 'bin', 'javac'))) homes.add(home);
  }
  return [...homes];
}

async function places(callerEnv: CallerEnv): Promise<string[]> {
  const home = callerEnv.HOME ?? homedir();
  const share = join(home, '.local', 'share');
  const below = async (dir: string, tail = '') =>
    (await readdir(dir).catch(() => [])).sort(newestFirst).map((name) => join(dir, name, tail));
  // A link on PATH leads into a kit; a shim of a version manager does not.
  const onPaths = await Promise.all(
    (await onPath('java', callerEnv)).map(async (path) => dirname(dirname(await realpath(path).catch(() => path)))),
  );
  // Machines of a CI have one for each version that they offer.
  const named = Object.entries(callerEnv).flatMap(([name, value]) =>
    /^(JDK_HOME|JAVA_HOME_\d+\w*|GRAALVM_HOME)$/.test(name) && value !== undefined ? [value] : [],
  );
  return [
    ...(callerEnv.JAVA_HOME === undefined ? [] : [callerEnv.JAVA_HOME]),
    ...onPaths,
    ...named,
    ...(
      await Promise.all([
        below('/usr/lib/jvm'),
        below('/usr/java'),
        below('/opt/java'),
        below('/usr/local/java'),
        below(
          callerEnv.SDKMAN_CANDIDATES_DIR ?? join(callerEnv.SDKMAN_DIR ?? join(home, '.sdkman'), 'candidates/java'),
        ),
        below(join(callerEnv.MISE_DATA_DIR ?? join(share, 'mise'), 'installs', 'java')),
        below(join(callerEnv.ASDF_DATA_DIR ?? join(home, '.asdf'), 'installs', 'java')),
        below(join(callerEnv.JENV_ROOT ?? join(home, '.jenv'), 'versions')),
        below(join(home, '.jdks')),
        below(join(home, '.jbang', 'cache', 'jdks')),
        below(join(callerEnv.GRADLE_USER_HOME ?? join(home, '.gradle'), 'jdks')),
        below('/Library/Java/JavaVirtualMachines', 'Contents/Home'),
        below(join(home, 'Library/Java/JavaVirtualMachines'), 'Contents/Home'),
        below('/opt/homebrew/opt', 'libexec/openjdk.jdk/Contents/Home'),
        below('/usr/local/opt', 'libexec/openjdk.jdk/Contents/Home'),
      ])
    ).flat(),
  ];
}

/** What a kit's own `release` file says: a hundredth of the time that starting its JVM takes. */
async function released(home: string): Promise<Found | null> {
  const text = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  const version = /^JAVA_VERSION="?([\d._]+)/m.exec(text)?.[1];
  return version === undefined ? null : { program: join(home, 'bin', 'java'), version: withoutOne(version) };
}

/** Until 8, `1.8.0_402` was how they counted. */
const withoutOne = (version: string): string => version.replace(/^1\.(\d)/, '$1').replace('_', '.');
