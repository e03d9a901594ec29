import { isFields } from '../../fields.ts';

/** An HTTP answer as the result of a tool. */

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** Address that it came from. */
  readonly url: string;
}

/** Where the status stands in a result, for whoever reads more than its text. */
export const STATUS_KEY = 'mcp-supervisor/httpStatus';

/** Anything but 2xx is an error of the tool, which a model may read and mend. */
export function toolResult({ status, contentType, body, url }: Answer): Record<string, unknown> {
  const _meta = { [STATUS_KEY]: status };
  if (status < 200 || status >= 300) {
    const said = isText(contentType) ? body.toString().trim() : '';
    return { content: [text(`HTTP ${status}${said === '' ? '' : `: ${said}`}`)], isError: true, _meta };
  }
  if (body.length === 0) return { content: [text(`HTTP ${status}`)], _meta };
  const value = isJson(contentType) ? parsed(body) : undefined;
  if (value !== undefined) {
    return { content: [text(body.toString())], structuredContent: isFields(value) ? value : { result: value }, _meta };
  }
  if (isText(contentType)) return { content: [text(body.toString())], _meta };
  return { content: [blob(contentType, body, url)], _meta };
}

const text = (words: string) => ({ type: 'text', text: words });

function blob(contentType: string, body: Buffer, url: string): Record<string, unknown> {
  const mimeType = contentType.split(';')[0]?.trim() ?? '';
  const data = body.toString('base64');
  const [kind] = mimeType.split('/');
  if (kind === 'image' || kind === 'audio') return { type: kind, data, mimeType };
  return { type: 'resource', resource: { uri: url, mimeType, blob: data } };
}

const isJson = (contentType: string): boolean => /^[^;]*[/+]json\b/i.test(contentType);
const isText = (contentType: string): boolean =>
  contentType === '' ||
  isJson(contentType) ||
  /^(text\/|application\/(xml|javascript|x-www-form-urlencoded|yaml)|[^;]*\+(xml|yaml))/i.test(contentType);

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
