/** A configuration file as data, with the line of every key. */

import { plainJson } from '../../launchers/jsonc.ts';
import type { Path } from './contracts.ts';

export interface Document {
  readonly value: unknown;
  /** Line of a key, from 1; of the nearest one above it that has one. */
  lineOf(path: Path): number;
}

export type ReadDocument = Document | { readonly problem: string; readonly line: number };

/**
 * YAML, or JSON with comments and trailing commas (JSON is YAML, but for its comments and its tabs). `name` decides nothing
 * but which of the two is tried: what begins with a brace is JSON in every file.
 */
export async function readDocument(text: string): Promise<ReadDocument> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const bare = text.replace(/^\uFEFF/, '');
  const isJson = /^\s*(\/\/|\/\*|[{[])/.test(bare);
  const lines = new LineCounter();
  const document = parseDocument(isJson ? untabbed(plainJson(bare)) : bare, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    // The first line says it; the others draw the place.
    const problem = error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? 'it can not be read';
    return { problem, line: error.linePos?.[0].line ?? 1 };
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (thrown) {
    // Aliases without end.
    return { problem: (thrown as Error).message, line: 1 };
  }
  return {
    value,
    lineOf(path) {
      let line = 1;
      let node: unknown = document.contents;
      for (const key of path) {
        if (isMap(node)) {
          const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : null) === String(key));
          if (pair === undefined) break;
          const { range } = pair.key as { range?: readonly number[] };
          if (range !== undefined) line = lines.linePos(range[0] as number).line;
          node = pair.value;
        } else {
          const item = (node as { items?: readonly { range?: readonly number[] }[] } | null)?.items?.[Number(key)];
          if (item === undefined) break;
          if (item.range != null) line = lines.linePos(item.range[0] as number).line;
          node = item;
        }
      }
      return line;
    },
  };
}

/** Tabs are blanks between JSON's tokens, and forbidden as YAML's. */
const untabbed = (json: string): string =>
  json.replaceAll(/"(?:[^"\\\n]|\\.)*"|\t/g, (part) => (part === '\t' ? ' ' : part));
