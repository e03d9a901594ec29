import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach } from 'vitest';

export type Registry = 'npm' | 'pypi';

const PROBES: Readonly<Record<Registry, readonly string[]>> = {
  npm: ['npm', 'ping', '--fetch-retries=0', '--fetch-timeout=5000'],
  pypi: ['python3', '-m', 'pip', 'index', 'versions', 'mcp', '--retries=0', '--timeout=5'],
};

/**
 * Skips the tests of this scope, with the reason, where a package registry can't be reached by the ordinary client.
 * In CI nothing is skipped: there the tests fail.
 */
export function needsRegistries(...registries: readonly Registry[]): void {
  if (process.env.CI) return;
  const answers = registries.map(async (registry) => {
    const [program, ...args] = PROBES[registry];
    return promisify(execFile)(program as string, args).then(
      () => null,
      () => registry,
    );
  });
  beforeEach(async ({ skip }) => {
    const missing = (await Promise.all(answers)).filter((registry) => registry !== null);
    skip(missing.length > 0, `the package registry can't be reached: ${missing.join(', ')}`);
  });
}
