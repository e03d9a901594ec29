import { SupervisorError } from '../errors.ts';
import type { Link } from '../options.ts';

/** Pages after which a list is taken as it is: a server may hand out cursors for ever. */
const MAX_PAGES = 1000;

/**
 * All pages of a list, its items verbatim; those without their `key` are left out, as nobody could name them. [] when the
 * server answers with an error: many declare a capability and don't know its list.
 */
export async function listAll<Item>(link: Link, method: string, field: string, key: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await link
      .request(method, cursor === undefined ? {} : { cursor })
      .catch((error: unknown) => (isRefusal(error) ? {} : Promise.reject(error)));
    const { [field]: list, nextCursor } = (result ?? {}) as Readonly<Record<string, unknown>>;
    if (Array.isArray(list)) items.push(...list.filter((item) => typeof item?.[key] === 'string'));
    if (typeof nextCursor !== 'string' || nextCursor === '' || seen.has(nextCursor)) break;
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  return items;
}

const isRefusal = (error: unknown): boolean => SupervisorError.is(error) && error.code === 'CALL_PROTOCOL_ERROR';
