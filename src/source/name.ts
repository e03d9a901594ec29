import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { sourceKey } from '../../actors/store/keys.ts';
import { sourceName } from '../../launchers/identity.ts';
import type { Source } from '../../launchers/plan.ts';

/** Stable name of an unnamed source, e.g. `server-time-1a2b3c`: repository or package, subfolder's last part, hash. */
export function defaultName(source: Source): string {
  const own = source.kind === 'command' ? wordOf(source.argv) : sourceName(source);
  const slug = [own.replace(/^.*:/, ''), source.subdir === '' ? '' : basename(source.subdir)]
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256')
    .update(`${sourceKey(source)}\n${source.subdir}`)
    .digest('hex')
    .slice(0, 6);
  return slug === '' ? hash : `${slug}-${hash}`;
}

/** Of `node --flag ./server.js x` the `server`, of `uvx some-server` the `some-server`, of `./server` itself. */
function wordOf([program = '', ...args]: readonly string[]): string {
  const runs = /^(node|deno|bun|bunx|npx|tsx|python3?|py|uv|uvx|pipx|java|ruby|php|sh|bash|env|go|dotnet)$/.test(
    basename(program),
  );
  const word = runs ? args.find((each) => /^[^-]/.test(each) && !/^(run|x|exec|tool|dlx|-m)$/.test(each)) : undefined;
  return basename(word ?? program).replace(/\.(c|m)?[jt]s$|\.(py|sh|jar|rb|php|dll)$/, '');
}
