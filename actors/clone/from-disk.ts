/** Offline: what is in the home already. */

import { readdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Source } from '../../launchers/plan.ts';
import type { Checkout } from '../../machines/contracts.ts';
import { createFailure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { FailureError } from '../failure-error.ts';
import { sourceKey } from '../store/keys.ts';
import { isFolder } from './subdir.ts';

/** Whether bringing it in takes more than this machine. */
export function isRemote(source: Source): boolean {
  if (source.kind === 'git') return !source.url.startsWith('file:');
  if (source.kind === 'archive') return !isAbsolute(source.location);
  return source.kind === 'package';
}

/** The checkout that this plugin, or another one of the same source and pin, has; CLONE_OFFLINE when there is none. */
export async function checkoutFromDisk(
  { store }: Pick<ActorContext, 'store'>,
  source: Source,
  known: Checkout | null,
): Promise<Checkout> {
  if (known !== null) return known;
  const key = sourceKey(source);
  for (const plugin of await readdir(join(store.home, 'plugins')).catch(() => [])) {
    const { sourceKey: answersTo, checkout } = await store.readFacts(plugin);
    if (answersTo === key && checkout !== undefined && (await isFolder(checkout.dir))) return checkout;
  }
  throw new FailureError(
    createFailure('CLONE_OFFLINE', {
      message: `Offline, and there is no copy of ${nameOf(source)} in ${store.home}.`,
      data: { missing: 'checkout', source: nameOf(source) },
    }),
  );
}

function nameOf(source: Source): string {
  switch (source.kind) {
    case 'git':
      return source.ref === null ? source.url : `${source.url}#${source.ref}`;
    case 'archive':
      return source.location;
    case 'package':
      return `${source.registry}:${source.name}${source.version === null ? '' : `@${source.version}`}`;
    case 'folder':
      return source.path;
    case 'command':
      return source.argv.join(' ');
    case 'remote':
      return source.url;
  }
}
