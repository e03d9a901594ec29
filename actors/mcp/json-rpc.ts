import type { JsonRpcId, JsonRpcMessage } from '../context.ts';
import type { OversizedLine } from './framing.ts';

const BOM = 0xfeff;
/** To parse what can't be JSON costs microseconds: a flood of log lines would slow everything down. */
const LOOKS_LIKE_MESSAGE = /^[\s\uFEFF]*[{[]/;

export const looksLikeMessage = (text: string): boolean => LOOKS_LIKE_MESSAGE.test(text);

/** The JSON-RPC message of a text, the messages of a batch, or null for anything else (banners, logs, other JSON). */
export function parseMessages(text: string): JsonRpcMessage | readonly JsonRpcMessage[] | null {
  if (!looksLikeMessage(text)) return null;
  let value: unknown;
  try {
    // .NET writes a byte order mark before its first line; JSON.parse refuses it.
    value = JSON.parse(text.charCodeAt(0) === BOM ? text.slice(1) : text);
  } catch {
    return null;
  }
  if (isMessage(value)) return value;
  // Batches existed in revision 2025-03-26 only, but reading them costs nothing.
  return Array.isArray(value) && value.length > 0 && value.every(isMessage) ? value : null;
}

const isMessage = (value: unknown): value is JsonRpcMessage =>
  typeof value === 'object' && value !== null && (value as { jsonrpc?: unknown }).jsonrpc === '2.0';

export const isBatch = (value: JsonRpcMessage | readonly JsonRpcMessage[] | null): value is readonly JsonRpcMessage[] =>
  Array.isArray(value);

const HEAD_ID = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+|"(?:[^"\\])*")/;
const TAIL_ID = /"id"\s*:\s*(\d+|"(?:[^"\\])*")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/**
 * Id of a message that was too long to read: at its head (Python, Go, Rust) or at its tail (the TypeScript SDK writes
 * `result` first). Both patterns are anchored, so an id inside the payload is never taken for it.
 */
export function idOfOversized(line: OversizedLine): JsonRpcId | null {
  const found = HEAD_ID.exec(line.head)?.[1] ?? TAIL_ID.exec(line.tail)?.[1];
  if (found === undefined) return null;
  try {
    return JSON.parse(found) as JsonRpcId;
  } catch {
    // 007, or a string with a bare control character.
    return null;
  }
}
