/** Packages that no process of their own serves: what they are made for instead, and what one can do with them. */

import { asFields, readManifest } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { notAServer, unsupported } from '../refusal.ts';
import { isSdk, type PackageJson } from './package-json.ts';

const ELSEWHERE = 'then give the address under which it answers as the source.';

/** Says why a package without a program is none; null when only nothing was found. */
export function whyNoProgram(view: FileView, dir: string, manifest: PackageJson): Refusal | null {
  const { name, dependencies, scripts, fields } = manifest;
  const called = name || dir || 'This package';
  const file = (names: readonly string[]) =>
    names.map((each) => join(dir, each)).find((path) => view.files.includes(path));
  const own = join(dir, 'package.json');

  if (isSdk(name)) {
    return notAServer(
      `${called} is a library for writing servers, not a server.`,
      [{ file: own, says: `is the package ${name}` }],
      'Give the repository of a server that is written with it, or one of its examples with --subdir.',
    );
  }
  const wrangler = file(['wrangler.toml', 'wrangler.json', 'wrangler.jsonc']);
  if (wrangler !== undefined) {
    return unsupported(
      `${called} is a Cloudflare Worker: it runs on that platform, not as a program of its own.`,
      [{ file: wrangler, says: 'describes a Worker' }],
      `Deploy it, or run it as its authors do (npx wrangler dev); ${ELSEWHERE}`,
    );
  }
  const next = file(['next.config.js', 'next.config.mjs', 'next.config.ts']);
  if (dependencies.has('next') && (next !== undefined || /\bnext\b/.test(scripts.start ?? scripts.dev ?? ''))) {
    return unsupported(
      `${called} is a Next.js site, of which an MCP endpoint may be a route.`,
      [{ file: next ?? own, says: 'is built and served by Next.js' }],
      `Deploy it, or run it as its authors do (next build, next start); ${ELSEWHERE}`,
    );
  }
  const smithery = join(dir, 'smithery.yaml');
  const parsed = view.files.includes(smithery) ? readManifest(view, smithery) : null;
  if (parsed?.ok && asFields(parsed.fields).runtime === 'typescript') {
    return unsupported(
      `${called} is a module for Smithery’s own runner: it exports a server, and starts none.`,
      [{ file: smithery, says: 'runtime is typescript' }],
      `Run it as its authors do (npx @smithery/cli dev); ${ELSEWHERE}`,
    );
  }
  const functions = file([
    'vercel.json',
    'netlify.toml',
    'serverless.yml',
    'serverless.yaml',
    'serverless.ts',
    'host.json',
  ]);
  if (functions !== undefined) {
    return unsupported(
      `${called} is made of functions for a hosting platform, not a program of its own.`,
      [{ file: functions, says: 'describes the platform’s functions' }],
      `Deploy it, or run it with the platform’s own tool; ${ELSEWHERE}`,
    );
  }
  if ('vscode' in asFields(fields.engines)) {
    return unsupported(
      `${called} is an extension of VS Code, which alone can run it.`,
      [{ file: own, says: 'engines names vscode' }],
      'Install it there.',
    );
  }
  const sdk = sdkOfPeers(manifest);
  if (sdk !== null || (manifest.main !== null && ('types' in fields || 'exports' in fields))) {
    return notAServer(
      `${called} is a library: it has an entry for others to import, and no program.`,
      [{ file: own, says: sdk === null ? `main is ${manifest.main}` : `leaves ${sdk} to those who use it` }],
      'Give one of its examples with --subdir, or the command of a server with --command.',
    );
  }
  return null;
}

/** An MCP package that whoever uses this one brings along: then this one is a library. */
export const sdkOfPeers = ({ fields }: PackageJson): string | null => {
  const peers = Object.keys(asFields(fields.peerDependencies));
  const own = asFields(fields.dependencies);
  return peers.find((name) => isSdk(name) && !(name in own)) ?? null;
};
