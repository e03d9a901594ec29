import type { ServerResponse } from 'node:http';

/** Characters from which on an answer is more than what the system keeps for a reader. */
const LARGE = 64 * 1024;
/** Milliseconds without a byte read after which a reader of a large answer counts as gone; one that is slow may be. */
const UNREAD = 60_000;

/** An answer that nobody reads stays in memory as long as its connection, and nothing else would ever end that. */
export function cutUnread(response: ServerResponse, text: string): void {
  if (text.length > LARGE) response.setTimeout(UNREAD, () => response.destroy());
}
