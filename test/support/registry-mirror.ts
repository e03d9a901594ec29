/**
 * A company's package registry on the loopback, for npm, PyPI, Go, Cargo and Maven in one. It has one package of each,
 * `corp-words`, and gives nothing to whoever doesn't log in.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tar, zip } from './archives.ts';

export interface RegistryMirror {
  /** Without a slash at the end; npm is at `/npm/`, PyPI at `/pypi/simple/`, Go at `/go`, Cargo at `/cargo/`, Maven at `/maven/`; `/files/words.zip` is an archive. */
  readonly url: string;
  readonly port: number;
  /** What `Authorization: Bearer …` (npm), `Authorization: …` (Cargo) and the password of everything else must be. */
  readonly token: string;
  /** `200 /npm/corp-words` and the like, in order. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

export interface MirrorOptions {
  /** Name under which clients reach it, through a proxy; default `127.0.0.1`. */
  readonly host?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Lets everybody in. */
  readonly open?: boolean;
  /** Further packages of the npm part: name → its only version and files. */
  readonly npm?: Readonly<Record<string, NpmPackage>>;
}

export interface NpmPackage {
  readonly version: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, string>>;
}

/** What `corp-words` says in every language. */
export const WORDS = 'words of the company';

export async function startRegistryMirror(options: MirrorOptions = {}): Promise<RegistryMirror> {
  const { host = '127.0.0.1', tls, open = false } = options;
  const token = `t0k3n-${createHash('sha256').update(String(Math.random())).digest('hex').slice(0, 12)}`;
  const log: string[] = [];
  let url = '';
  const listener: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const answer = open || isLoggedIn(request, token) ? answers(url, pathname, options) : null;
    const status = answer === null ? 401 : answer === undefined ? 404 : 200;
    log.push(`${status} ${pathname}`);
    response.writeHead(status, {
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="packages"' } : {}),
      ...(answer ? { 'content-type': answer.type } : {}),
    });
    response.end(answer?.body);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  url = `${tls === undefined ? 'http' : 'https'}://${host}:${port}`;
  return {
    url,
    port,
    token,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** User names are the clients' own affair. */
function isLoggedIn({ headers, url }: IncomingMessage, token: string): boolean {
  const [scheme = '', value = ''] = (headers.authorization ?? '').split(' ');
  if (url?.startsWith('/npm/')) return scheme === 'Bearer' && value === token;
  if (url?.startsWith('/cargo/')) return headers.authorization === token;
  return scheme === 'Basic' && Buffer.from(value, 'base64').toString().split(':')[1] === token;
}

interface Answer {
  readonly type: string;
  readonly body: string | Buffer;
}
const json = (value: unknown): Answer => ({ type: 'application/json', body: JSON.stringify(value) });
const text = (body: string): Answer => ({ type: 'text/plain', body });
const html = (body: string): Answer => ({ type: 'text/html', body });
const file = (body: Buffer): Answer => ({ type: 'application/octet-stream', body });

function answers(url: string, path: string, { npm = {} }: MirrorOptions): Answer | undefined {
  const [, registry, ...rest] = path.split('/');
  const below = rest.join('/');
  switch (registry) {
    case 'npm':
      return npmAnswer(`${url}/npm`, decodeURIComponent(below), { 'corp-words': NPM_WORDS, ...npm });
    case 'pypi':
      return pypiAnswer(below);
    case 'go':
      return goAnswer(below);
    case 'cargo':
      return cargoAnswer(`${url}/cargo`, below);
    case 'files':
      return below === 'words.zip' ? file(FOLDER) : undefined;
    case 'maven':
      return below === 'corp/words/1.0.0/words-1.0.0.pom' ? text(POM) : undefined;
    default:
      return undefined;
  }
}

const sha = (algorithm: string, data: Buffer) => createHash(algorithm).update(data);

const NPM_WORDS: NpmPackage = {
  version: '1.0.0',
  manifest: { main: 'index.js' },
  files: { 'index.js': `module.exports = ${JSON.stringify(WORDS)};\n` },
};

function npmAnswer(base: string, path: string, packages: Readonly<Record<string, NpmPackage>>): Answer | undefined {
  const [name = '', tarball] = path.split('/-/');
  const found = packages[name];
  if (found === undefined) return undefined;
  const { version, manifest, files } = found;
  const own = { name, version, ...manifest };
  const packed = tarballOf('package', { 'package.json': JSON.stringify(own), ...files });
  if (tarball !== undefined) return file(packed);
  const integrity = `sha512-${sha('sha512', packed).digest('base64')}`;
  const shasum = sha('sha1', packed).digest('hex');
  const dist = { tarball: `${base}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`, integrity, shasum };
  const time = { [version]: '2026-01-01T00:00:00.000Z' };
  return json({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...own, dist } }, time });
}

const WHEEL = zipOf({
  'corp_words.py': `words = ${JSON.stringify(WORDS)}\n`,
  'corp_words-1.0.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: corp-words\nVersion: 1.0.0\n',
  'corp_words-1.0.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  'corp_words-1.0.0.dist-info/RECORD':
    'corp_words.py,,\ncorp_words-1.0.0.dist-info/METADATA,,\ncorp_words-1.0.0.dist-info/WHEEL,,\ncorp_words-1.0.0.dist-info/RECORD,,\n',
});
const WHEEL_NAME = 'corp_words-1.0.0-py3-none-any.whl';

function pypiAnswer(path: string): Answer | undefined {
  if (path === `files/${WHEEL_NAME}`) return file(WHEEL);
  if (path !== 'simple/corp-words/') return undefined;
  return html(`<a href="../../files/${WHEEL_NAME}#sha256=${sha('sha256', WHEEL).digest('hex')}">${WHEEL_NAME}</a>`);
}

const GO_MOD = 'module corp.test/words\n\ngo 1.20\n';

function goAnswer(path: string): Answer | undefined {
  const [module, file_] = path.split('/@v/');
  if (module !== 'corp.test/words') return undefined;
  if (file_ === 'list') return text('v1.0.0\n');
  if (file_ === 'v1.0.0.info') return json({ Version: 'v1.0.0', Time: '2026-01-01T00:00:00Z' });
  if (file_ === 'v1.0.0.mod') return text(GO_MOD);
  if (file_ !== 'v1.0.0.zip') return undefined;
  const source = `package words\n\nconst Words = ${JSON.stringify(WORDS)}\n`;
  return file(zipOf({ 'corp.test/words@v1.0.0/go.mod': GO_MOD, 'corp.test/words@v1.0.0/words.go': source }));
}

const CRATE = tarballOf('corp-words-1.0.0', {
  'Cargo.toml': '[package]\nname = "corp-words"\nversion = "1.0.0"\nedition = "2021"\n',
  'src/lib.rs': `pub const WORDS: &str = ${JSON.stringify(WORDS)};\n`,
});

function cargoAnswer(base: string, path: string): Answer | undefined {
  if (path === 'config.json') return json({ dl: `${base}/crates`, 'auth-required': true });
  if (path === 'crates/corp-words/1.0.0/download') return file(CRATE);
  if (path !== 'co/rp/corp-words') return undefined;
  const cksum = sha('sha256', CRATE).digest('hex');
  return text(
    `${JSON.stringify({ name: 'corp-words', vers: '1.0.0', deps: [], cksum, features: {}, yanked: false })}\n`,
  );
}

const FOLDER = zipOf({ 'words/words.txt': WORDS });

const POM = `<project><modelVersion>4.0.0</modelVersion><groupId>corp</groupId><artifactId>words</artifactId>
<version>1.0.0</version><packaging>pom</packaging></project>\n`;

function tarballOf(folder: string, files: Readonly<Record<string, string>>): Buffer {
  const packed = Object.entries(files).map(([name, text]) => ({ path: `${folder}/${name}`, text }));
  return tar(packed, { gzip: true });
}

function zipOf(files: Readonly<Record<string, string>>): Buffer {
  return zip(Object.entries(files).map(([path, text]) => ({ path, text })));
}
