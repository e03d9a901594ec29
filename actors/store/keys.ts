/** Hashes that name things in the home. A login plays no part in any of them. */

import { createHash } from 'node:crypto';
import type { PluginSpec, Source, SourceOf } from '../../launchers/plan.ts';
import type { Checkout } from '../../machines/contracts.ts';
import { CLIENT_INFO } from '../mcp/meta.ts';

/** Another version of the product, or a raised number between two, may plan the same folder differently. */
const PLAN_VERSION = [CLIENT_INFO.version, 4];

/** Names the place alone, whatever the ref: the checkouts of a repository are together in one folder. */
export const sourceHash = (source: Source): string => digest(placeOf(source));

/** Names place and pin; a plugin's checkout is stale when it answers to another one. */
export const sourceKey = (source: Source): string => digest([sourceHash(source), pinOf(source)]);

function placeOf(source: Source): readonly unknown[] {
  switch (source.kind) {
    case 'git':
      return ['git', normalUrl(source.url)];
    case 'folder':
      return ['folder', source.path];
    case 'archive':
      return ['archive', source.location];
    case 'package':
      return ['package', source.registry, normalPackage(source)];
    case 'command':
      return ['command', source.cwd, ...source.argv];
    case 'remote':
      return ['remote', source.url];
  }
}

function pinOf(source: Source): string | null {
  switch (source.kind) {
    case 'git':
      return source.ref;
    case 'archive':
      return source.sha256;
    case 'package':
      return source.version;
    default:
      return null;
  }
}

/** PyPI takes `Some_Server` and `some-server` for one (PEP 503). */
const normalPackage = ({ registry, name }: SourceOf<'package'>): string =>
  registry === 'npm' ? name : name.toLowerCase().replace(/[-_.]+/g, '-');

/** What a plan depends on besides the files: a kept plan with another key is stale. */
export const planKey = (checkout: Checkout, spec: Pick<PluginSpec, 'source' | 'overrides'>): string =>
  digest([PLAN_VERSION, sourceHash(spec.source), checkout.commit, spec.source.subdir, spec.overrides]);

/** Names whatever it is that one asks about, independent of the order in which its parts were set. */
export const fingerprintOf = (value: unknown): string => digest(value);

/** `https://Host/o/n.git/` and `https://host/o/n` are one place; the path keeps its case. */
function normalUrl(url: string): string {
  const bare = url.replace(/\/+$/, '').replace(/\.git$/, '');
  const [, scheme, user = '', host = '', path = ''] = /^([a-z]+:\/\/)([^/@]*@)?([^/]*)(.*)$/i.exec(bare) ?? [];
  return scheme === undefined ? bare : `${scheme.toLowerCase()}${user}${host.toLowerCase()}${path}`;
}

const digest = (value: unknown): string => createHash('sha256').update(stableJson(value)).digest('hex').slice(0, 16);

/** JSON whose text does not depend on the order in which an object's keys were set. */
const stableJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
