import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git';
import { createHttpAgent, MOST_REDIRECTS, redirectOf } from './http-agent.ts';

/**
 * isomorphic-git's HTTP on undici. Its own client can't be ended while a body arrives, reads no proxy variables, and
 * posts to the old address of a repository that was renamed.
 */
export async function createGitHttp(
  callerEnv: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  /** Told of the bytes of each answer so far; ends it by throwing. */
  received: (bytes: number) => void = () => {},
): Promise<HttpClient> {
  const { request } = await import('undici');
  const dispatcher = await createHttpAgent(callerEnv);
  /** Where the repository turned out to be, by the address that was asked for. */
  const moved = new Map<string, string>();

  async function send(asked: string, { method = 'GET', headers = {}, body }: GitHttpRequest) {
    let url = asked;
    for (let redirects = 0; ; redirects += 1) {
      const sameOrigin = new URL(url).origin === new URL(asked).origin;
      const response = await request(url, {
        method: method as 'GET' | 'POST',
        headers: { 'user-agent': 'git/mcp-supervisor', ...(sameOrigin ? headers : withoutLogin(headers)) },
        body: body === undefined ? null : await collect(body),
        dispatcher,
        signal,
      });
      const next = method === 'GET' ? redirectOf(url, response.statusCode, response.headers.location) : null;
      if (next === null || redirects === MOST_REDIRECTS) return { url, response };
      await response.body.dump();
      url = next;
    }
  }

  return {
    async request(asked): Promise<GitHttpResponse> {
      const { url, response } = await send(relocated(asked.url, moved), asked);
      const [from, to] = [asked.url, url].map((each) => each.split('/info/refs')[0]!);
      if (from !== to && url.includes('/info/refs')) moved.set(from!, to!);
      return {
        url,
        method: asked.method ?? 'GET',
        headers: flat(response.headers),
        body: counted(response.body, received),
        statusCode: response.statusCode,
        statusMessage: String(response.statusCode),
      };
    },
  };
}

async function* counted(body: AsyncIterable<Uint8Array>, received: (bytes: number) => void) {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    received(bytes);
    yield chunk;
  }
}

function relocated(url: string, moved: ReadonlyMap<string, string>): string {
  const base = [...moved.keys()].find((from) => url.startsWith(`${from}/`));
  return base === undefined ? url : moved.get(base) + url.slice(base.length);
}

const withoutLogin = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));

const flat = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));

/** Requests are small (wants and haves); one buffer has a length, which some servers insist on. */
async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
