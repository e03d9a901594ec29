/** Revisions of the protocol that clients may speak to us. */

import { eraOfVersion, MODERN_VERSION } from '../../../actors/mcp/meta.ts';

/** With the `initialize` handshake, newest first. */
export const LEGACY_VERSIONS: readonly string[] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
];

/** Without it: each request stands alone. */
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];

/** What `initialize` agrees on: the client's own revision if it is a known one, else the newest. */
export const agreedVersion = (asked: unknown): string =>
  typeof asked === 'string' && LEGACY_VERSIONS.includes(asked) ? asked : LEGACY_VERSIONS[0]!;

/** Whether a revision, known or not, is of the era without handshake. */
export const isModern = (version: string): boolean => eraOfVersion(version) === 'modern';

/** Methods of the legacy era that the modern one took away. */
const REMOVED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
]);

export const isRemoved = (method: string): boolean => REMOVED.has(method);

/** Revision from which clients take an event without data, with which a stream names its first id (SEP-1699). */
export const PRIMED_SINCE = '2025-11-25';
