/** Registries of npm and PyPI on the loopback, with packages made for one test in several versions. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tar, zip } from './archives.ts';

/** Version → what its package.json says besides, and its files. */
export type NpmVersions = Readonly<
  Record<string, { readonly manifest?: object; readonly files?: Readonly<Record<string, string>> }>
>;
/** Version → `module.py` and its console scripts. */
export type PypiVersions = Readonly<
  Record<string, { readonly module: string; readonly scripts: readonly string[]; readonly readme?: string }>
>;

export interface PackageRegistryOptions {
  readonly npm?: Readonly<Record<string, NpmVersions>>;
  readonly pypi?: Readonly<Record<string, PypiVersions>>;
  /** npm's tags other than `latest`, which is the last version. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Wants this as npm's bearer token. */
  readonly token?: string;
}

export interface PackageRegistry extends AsyncDisposable {
  /** Makes the clients use it and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** Host and port. */
  readonly host: string;
}

/** Every version was published on that day. */
export const PUBLISHED = '2026-01-01T00:00:00.000Z';

export async function startPackageRegistry(options: PackageRegistryOptions): Promise<PackageRegistry> {
  const { npm = {}, pypi = {}, tags = {}, token } = options;
  let url = '';
  const server = createServer(({ url: asked = '/', headers }, response) => {
    const path = decodeURIComponent(new URL(asked, 'http://localhost').pathname);
    const [, kind = '', ...rest] = path.split('/');
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    const name = rest.join('/').replace(/\/$/, '');
    const answer =
      kind === 'npm'
        ? packument(`${url}/tarballs`, name, npm[name], tags)
        : kind === 'tarballs'
          ? tarballOf(rest, npm)
          : kind === 'simple'
            ? index(`${url}/wheels`, name, pypi[name])
            : wheelOf(name, pypi);
    if (answer === undefined) response.writeHead(404).end('{}');
    else response.setHeader('content-type', answer.type).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${host}`;
  return {
    host,
    env: {
      npm_config_registry: `${url}/npm/`,
      npm_config_fetch_retries: '0',
      UV_DEFAULT_INDEX: `${url}/simple`,
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly type: string;
  readonly body: string | Buffer;
}
const bytes = (body: Buffer): Answer => ({ type: 'application/octet-stream', body });
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

// ---- npm ----

function packument(base: string, name: string, versions: NpmVersions | undefined, tags: object): Answer | undefined {
  if (versions === undefined) return undefined;
  const all = Object.keys(versions);
  const entries = all.map((version) => {
    const tarball = `${base}/${version}/${name}`;
    const shasum = createHash('sha1')
      .update(pack(name, version, versions[version]!))
      .digest('hex');
    return [version, { name, version, ...versions[version]?.manifest, dist: { tarball, shasum } }] as const;
  });
  const time = Object.fromEntries(all.map((version) => [version, PUBLISHED]));
  const body = { name, 'dist-tags': { latest: all.at(-1), ...tags }, versions: Object.fromEntries(entries), time };
  return { type: 'application/json', body: JSON.stringify(body) };
}

function tarballOf([version = '', ...name]: readonly string[], npm: PackageRegistryOptions['npm']): Answer | undefined {
  const found = npm?.[name.join('/')]?.[version];
  return found && bytes(pack(name.join('/'), version, found));
}

function pack(name: string, version: string, { manifest, files = {} }: NpmVersions[string]): Buffer {
  const all = { 'package.json': JSON.stringify({ name, version, ...manifest }), ...files };
  const entries = Object.entries(all).map(([path, text]) => ({ path: `package/${path}`, text }));
  return tar(entries, { gzip: true });
}

// ---- PyPI ----

const wheelName = (name: string, version: string) => `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;

function index(base: string, name: string, versions: PypiVersions | undefined): Answer | undefined {
  if (versions === undefined) return undefined;
  const files = Object.entries(versions).map(([version, content]) => ({
    filename: wheelName(name, version),
    url: `${base}/${name}/${version}/${wheelName(name, version)}`,
    hashes: { sha256: sha256(wheel(name, version, content)) },
    'upload-time': PUBLISHED,
    'requires-python': '>=3.8',
  }));
  const body = JSON.stringify({ meta: { 'api-version': '1.1' }, name, files, versions: Object.keys(versions) });
  return { type: 'application/vnd.pypi.simple.v1+json', body };
}

function wheelOf(path: string, pypi: PackageRegistryOptions['pypi']): Answer | undefined {
  const [name = '', version = ''] = path.split('/');
  const found = pypi?.[name]?.[version];
  return found && bytes(wheel(name, version, found));
}

function wheel(name: string, version: string, { module, scripts, readme = '' }: PypiVersions[string]): Buffer {
  const own = name.replaceAll('-', '_');
  const info = `${own}-${version}.dist-info`;
  const files: Record<string, string> = {
    [`${own}.py`]: module,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\n${readme}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/entry_points.txt`]: `[console_scripts]\n${scripts.map((each) => `${each} = ${own}:main\n`).join('')}`,
  };
  const record = `${[...Object.keys(files), `${info}/RECORD`].map((path) => `${path},,`).join('\n')}\n`;
  return zip(Object.entries({ ...files, [`${info}/RECORD`]: record }).map(([path, text]) => ({ path, text })));
}
