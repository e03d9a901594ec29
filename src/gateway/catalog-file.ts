/** The lists of one plugin on disk: `plugins/<name>/catalog.json` in the home. */

import { readFileSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atomicWrite } from '../../actors/store/atomic-write.ts';
import type { KnownCatalog } from './contracts.ts';

/** Raised when what is kept has another form. */
const FORMAT = 1;

/**
 * What is kept for that fingerprint; null for none, for another one and for a file that says nothing (the next start writes
 * it anew). Read at once, because a list is asked for by someone who waits: a millisecond for the largest ones.
 */
export function readCatalog(path: string, fingerprint: string): KnownCatalog | null {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as {
      format?: unknown;
      fingerprint?: unknown;
      catalog?: unknown;
    };
    if (kept.format !== FORMAT || kept.fingerprint !== fingerprint || !isCatalog(kept.catalog)) return null;
    return kept.catalog;
  } catch {
    return null;
  }
}

export async function writeCatalog(path: string, fingerprint: string, catalog: KnownCatalog): Promise<void> {
  const folder = dirname(path);
  // A home is made by whoever opens it: a folder with anything else in it would be refused.
  await access(join(folder, '..', '..', 'format'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await atomicWrite(path, `${JSON.stringify({ format: FORMAT, fingerprint, catalog })}\n`);
}

function isCatalog(value: unknown): value is KnownCatalog {
  if (typeof value !== 'object' || value === null) return false;
  const { tools, prompts, resources, resourceTemplates, server } = value as Partial<Record<string, unknown>>;
  return (
    typeof server === 'object' &&
    isListOf('name', tools) &&
    isListOf('name', prompts) &&
    isListOf('uri', resources) &&
    isListOf('uriTemplate', resourceTemplates)
  );
}

/** Objects that have what they are found by. */
const isListOf = (key: string, value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof (item as Record<string, unknown> | null)?.[key] === 'string');
