/** A real smart-HTTP git server on the loopback: `git http-backend` behind node:http. Read-only. */

import { execFile, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

export interface GitServerOptions {
  /** Folder of bare repositories: `<root>/x.git` is served as `<url>/x.git`. */
  readonly root: string;
  /** Asks for this login; without it anybody may read. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Answers by https, with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Speaks protocol 0 only, and refuses commits that are no tip, as old hosts do. */
  readonly old?: boolean;
  /** Begins the answer to a fetch and never ends it. */
  readonly stall?: boolean;
  /** While true, the connection breaks in the middle of the answer to a fetch. */
  readonly cut?: () => boolean;
  /** Answers `<url>/<from>…` with a redirect to `<url>/<to>…`, as for a renamed repository; fetches there are refused. */
  readonly renamed?: { readonly from: string; readonly to: string };
}

export interface GitServer {
  /** Without a slash at the end. */
  readonly url: string;
  /** `GET /x.git/info/refs` and the like, in order. */
  readonly log: readonly string[];
  /** Downloads of commits so far. */
  readonly fetches: () => number;
  close(): Promise<void>;
}

export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const log: string[] = [];
  let fetches = 0;
  const { tls } = options;
  const listener: RequestListener = async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    log.push(`${request.method} ${pathname}`);
    const { auth, renamed, stall } = options;
    if (auth !== undefined && request.headers.authorization !== basic(auth)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    if (renamed !== undefined && pathname.startsWith(`/${renamed.from}`)) {
      const location = (request.url ?? '').replace(renamed.from, renamed.to);
      response.writeHead(request.method === 'GET' ? 301 : 404, { location }).end();
      return;
    }
    const body = await bodyOf(request);
    const isFetch = request.method === 'POST' && body.includes('want ');
    if (isFetch) fetches += 1;
    if (isFetch && stall === true) {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).flushHeaders();
      return;
    }
    await answer(options, request, body, response, isFetch && options.cut?.() === true);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    fetches: () => fetches,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const basic = ({ username, password }: { username: string; password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** One request as a CGI program sees it. */
async function answer(
  { root, old = false }: GitServerOptions,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  cut: boolean,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const protocol = old ? undefined : (request.headers['git-protocol'] as string | undefined);
  const program = spawn('git', ['-c', `uploadpack.allowAnySHA1InWant=${!old}`, 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  response.once('close', () => program.kill());
  program.stdin.on('error', () => {});
  program.stdin.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of program.stdout) chunks.push(chunk as Buffer);
  const output = Buffer.concat(chunks);
  const end = output.indexOf('\r\n\r\n');
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/s);
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  const whole = output.subarray(end + 4);
  if (cut) response.write(whole.subarray(0, whole.length / 2), () => response.destroy());
  else response.end(whole);
}

/** git with a fixed author and none of the user's settings; resolves with its output. */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd,
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@localhost',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@localhost',
      GIT_AUTHOR_DATE: '2026-10-01T12:00:00Z',
      GIT_COMMITTER_DATE: '2026-10-01T12:00:00Z',
    },
  });
  return stdout.trim();
}
