import type { ToolDescription } from '../context.ts';

/** Pages after which a list is taken as it is: a server may hand out cursors for ever. */
const MAX_PAGES = 1000;

export interface Catalog {
  readonly tools: () => readonly ToolDescription[];
  /** Fetches all pages and then replaces the list in one go; calls made meanwhile share one more fetch. */
  refresh(): Promise<void>;
}

/** `accepts` leaves out tools that the transport must not offer; default: none. */
export function createCatalog(
  list: (params: unknown) => Promise<unknown>,
  accepts: (tool: ToolDescription) => boolean = () => true,
): Catalog {
  let tools: readonly ToolDescription[] = [];
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const fetchAll = async () => {
    tools = (await listTools(list)).filter(accepts);
  };

  const refresh = (): Promise<void> => {
    if (running === null) {
      running = fetchAll().finally(() => {
        running = null;
      });
      return running;
    }
    // The list may have changed again since the running fetch read it.
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return refresh();
      });
    return next;
  };

  return { tools: () => tools, refresh };
}

async function listTools(list: (params: unknown) => Promise<unknown>): Promise<readonly ToolDescription[]> {
  const tools: ToolDescription[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = (await list(cursor === undefined ? {} : { cursor })) as { tools?: unknown; nextCursor?: unknown };
    if (Array.isArray(result?.tools)) tools.push(...result.tools.filter(isTool));
    const { nextCursor } = result ?? {};
    if (typeof nextCursor !== 'string' || nextCursor === '' || seen.has(nextCursor)) break;
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  return tools;
}

const isTool = (value: unknown): value is ToolDescription =>
  typeof (value as { name?: unknown } | null)?.name === 'string';
