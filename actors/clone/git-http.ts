import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git';

const MOST_REDIRECTS = 5;

/**
 * isomorphic-git's HTTP on undici. Its own client can't be ended while a body arrives, reads no proxy variables, and
 * posts to the old address of a repository that was renamed.
 */
export async function createGitHttp(
  callerEnv: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<HttpClient> {
  const { EnvHttpProxyAgent, request } = await import('undici');
  const variable = (name: string) => callerEnv[name.toLowerCase()] ?? callerEnv[name];
  const {
    HTTP_PROXY: httpProxy,
    HTTPS_PROXY: httpsProxy,
    NO_PROXY: noProxy,
  } = Object.fromEntries(['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].map((name) => [name, variable(name) ?? '']));
  const dispatcher = new EnvHttpProxyAgent({ httpProxy, httpsProxy, noProxy } as ConstructorParameters<
    typeof EnvHttpProxyAgent
  >[0]);
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
      const location = response.headers.location;
      const isRedirect = method === 'GET' && [301, 302, 303, 307, 308].includes(response.statusCode);
      if (!isRedirect || typeof location !== 'string' || redirects === MOST_REDIRECTS) return { url, response };
      await response.body.dump();
      const next = new URL(location, url);
      if (next.protocol !== 'https:' && next.protocol !== new URL(url).protocol) return { url, response };
      url = next.href;
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
        body: response.body[Symbol.asyncIterator](),
        statusCode: response.statusCode,
        statusMessage: String(response.statusCode),
      };
    },
  };
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
