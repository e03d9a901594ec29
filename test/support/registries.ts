import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach } from 'vitest';

export type Registry = 'npm' | 'pypi' | 'go' | 'crates' | 'maven' | 'ruby' | 'php';

/** Toolchains that few machines have: without them a test is skipped in CI too. */
const OPTIONAL: readonly Registry[] = ['ruby', 'php'];

/** Small, and old enough to be everywhere. */
const SOME_POM = '-Dartifact=com.fasterxml:oss-parent:58:pom';

const PROBES: Readonly<Record<Registry, readonly string[]>> = {
  maven: ['mvn', '-B', '-q', 'dependency:get', SOME_POM, '-Dtransitive=false'],
  npm: ['npm', 'ping', '--fetch-retries=0', '--fetch-timeout=5000'],
  go: ['go', 'list', '-m', '-versions', 'github.com/modelcontextprotocol/go-sdk'],
  // Their fixtures need no registry, only the toolchain.
  ruby: ['ruby', '-S', 'bundle', '--version'],
  php: ['composer', '--version'],
  crates: ['cargo', 'info', '--quiet', 'json'],
  pypi: ['python3', '-m', 'pip', 'index', 'versions', 'mcp', '--retries=0', '--timeout=5'],
};

/**
 * Skips the tests of this scope, with the reason, where a package registry can't be reached by the ordinary client.
 * In CI only those of optional toolchains are skipped: the others fail there.
 */
export function needsRegistries(...registries: readonly Registry[]): void {
  const asked = process.env.CI ? registries.filter((registry) => OPTIONAL.includes(registry)) : registries;
  const answers = asked.map(async (registry) => {
    const [program, ...args] = PROBES[registry];
    return promisify(execFile)(program as string, args).then(
      () => null,
      () => registry,
    );
  });
  beforeEach(async ({ skip }) => {
    const missing = (await Promise.all(answers)).filter((registry) => registry !== null);
    skip(
      missing.length > 0,
      `the toolchain is not here, or its package registry can't be reached: ${missing.join(', ')}`,
    );
  });
}
