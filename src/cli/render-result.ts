import type { ToolResult } from '../options.ts';
import { showSize } from './duration.ts';
import { toJson } from './json.ts';

type Block = NonNullable<ToolResult['content']>[number];

/**
 * A tool's result as text: its text blocks, a one-line note for what is not text; the structured content where there is
 * no text. Raw: the caller escapes it for people.
 */
export function resultAsText(result: ToolResult): string {
  const content = Array.isArray(result.content) ? (result.content as readonly Block[]) : [];
  const lines = content.map((block) => (isText(block) ? block.text : note(block)));
  if (!content.some(isText) && result.structuredContent !== undefined)
    lines.push(toJson(result.structuredContent, true));
  return endLine(lines.join('\n'));
}

/** The answer of a plain HTTP plugin, or of any MCP method. */
export const answerAsText = (answer: unknown): string =>
  endLine(typeof answer === 'string' ? answer : toJson(answer, true));

const isText = (block: Block): block is Block & { text: string } =>
  block.type === 'text' && typeof block.text === 'string';
const endLine = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** `[image image/png, 12.3 kB]`, `[resource file:///x text/plain, 80 B]`, `[resource link file:///x Name]` */
function note(block: Block): string {
  const { type } = block;
  if (type === 'resource') {
    const resource = (block.resource ?? {}) as Record<string, unknown>;
    return `[${words(type, resource.uri, resource.mimeType)}${size(resource)}]`;
  }
  if (type === 'resource_link') return `[${words('resource link', block.uri, block.name, block.mimeType)}]`;
  return `[${words(type ?? 'block', block.mimeType)}${size(block)}]`;
}

const words = (...parts: readonly unknown[]) => parts.filter((part) => typeof part === 'string').join(' ');

function size({ data, blob, text }: Readonly<Record<string, unknown>>): string {
  const base64 = data ?? blob;
  if (typeof base64 === 'string') return `, ${showSize(Math.floor((base64.replace(/=+$/, '').length * 3) / 4))}`;
  return typeof text === 'string' ? `, ${showSize(Buffer.byteLength(text))}` : '';
}
