import { createRequire } from 'node:module';

/** Read where it is asked for; by the package's own name, so that it is found from src/ and from dist/ alike. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('mcp-supervisor/package.json') as { version: string };
  return version;
}
