/** What the manifests and the lock of an install tell of its dependencies. */

import { asFields } from '../parse.ts';
import type { FileView } from '../plan.ts';
import { DOWNLOADS } from './installer-env.ts';
import type { Manager } from './manager.ts';
import type { PackageJson } from './package-json.ts';

const IN_LOCK = new RegExp(`[\\s"'/]${DOWNLOADS.source.replace('(^|\\/)', '').replace('$', '')}["'@:]`);

/** Whether a dependency, at any depth as far as the lock can be read, fetches a browser or the like when installed. */
export const hasDownloads = (view: FileView, { lock }: Manager, packages: readonly PackageJson[]): boolean =>
  packages.some(({ dependencies }) => [...dependencies.keys()].some((name) => DOWNLOADS.test(name))) ||
  (lock !== null && IN_LOCK.test(view.read(lock) ?? ''));

/** Compilers, bundlers and what their scripts are made of, types, and plugins of those. */
const BUILDS =
  /^(@types\/|@tsconfig\/|@rollup\/|@rolldown\/|@esbuild|@swc\/|@babel\/|@vercel\/ncc|@nx\/|@modelcontextprotocol\/(?!inspector)|@nestjs\/)|typescript|^(ts|tsc|tsx|tsup|tsdown|ttsc|unbuild|esbuild|rolldown|rollup|vite|webpack|swc|babel|parcel|ncc|pkgroll|bunchee|microbundle|bun|turbo|nx|lerna|wireit|wsrun|shx|shelljs|rimraf|del|cross|copyfiles|cpy|ncp|copy|mkdirp|make|npm|run|concurrently|zx|zod|dotenv|prisma|drizzle|graphql|openapi|json|tslib|node)(-|$)/;

/** devDependencies that no build of theirs calls, by folder: linters, test runners, release tools. */
export function dispensable(packages: ReadonlyMap<string, PackageJson>): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...packages].map(([dir, { fields, scripts }]) => {
      const called = Object.entries(scripts)
        .filter(([name]) => /build|compile|bundle|prepare|prepack|install|generate|copy|clean|^pre|^post/.test(name))
        .map(([, script]) => script)
        .join('\n');
      const names = Object.entries(asFields(fields.devDependencies)).flatMap(([name, version]) =>
        BUILDS.test(name) || called.includes(name) || /^(workspace|file|link|portal):/.test(String(version))
          ? []
          : [name],
      );
      return [dir, names] as const;
    }),
  );
}
