/**
 * One setting of a company's certificates for every program. Each knows another variable: Node adds
 * NODE_EXTRA_CA_CERTS to its own, most others take SSL_CERT_FILE (Python's requests REQUESTS_CA_BUNDLE, git
 * GIT_SSL_CAINFO) instead of theirs. Those that the user did not set get a bundle of all that is trusted anyway and of
 * what the user named: no host that could be reached before can then not be.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActorContext } from '../context.ts';
import { exists } from '../exists.ts';
import { atomicWrite } from '../store/atomic-write.ts';
import { pipSetting, readPipConfig } from './pip-config.ts';

type CallerEnv = ActorContext['callerEnv'];
type Variables = Record<string, string>;

/** Variables by which users name certificates, as files in PEM. */
const NAMED_BY = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO'];

/** Take certificates besides their own. */
const ADDED_TO = ['NODE_EXTRA_CA_CERTS', 'DENO_CERT'];
/** Take certificates instead of their own. */
const IN_PLACE_OF = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'];

/** Where systems keep the bundle of what they trust: Debian, Red Hat, Alpine and macOS, SUSE. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
  '/etc/ssl/ca-bundle.pem',
];

/** Files of certificates that the user named; those that are not there are left out. */
const namedFiles = (callerEnv: CallerEnv, others: readonly (string | undefined)[] = []): string[] =>
  [...new Set([...NAMED_BY.map((name) => callerEnv[name]), ...others])]
    .filter((file): file is string => file !== undefined && file !== '')
    .filter((file) => existsSync(file));

/** The certificates for a client of our own, which otherwise trusts Node's; null when the user named none. */
export async function trustedCertificates(callerEnv: CallerEnv): Promise<string[] | null> {
  const files = namedFiles(callerEnv);
  if (files.length === 0) return null;
  const { rootCertificates } = await import('node:tls');
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return [...rootCertificates, ...texts];
}

/** The variables that the caller has not, for a plugin; for a job with what pip was told (`cert`), as uv does its work. */
export async function trustEnv(
  { callerEnv, store }: Pick<ActorContext, 'callerEnv' | 'store'>,
  { isJob }: { readonly isJob: boolean },
): Promise<Variables> {
  const isUnset = (name: string) => callerEnv[name] === undefined;
  const added = ADDED_TO.filter(isUnset);
  const replaced = IN_PLACE_OF.filter(isUnset);
  if (added.length + replaced.length === 0) return {};
  const pip = isJob ? pipSetting(await readPipConfig(callerEnv), callerEnv, 'cert') : undefined;
  const files = namedFiles(callerEnv, [pip]);
  const [first] = files;
  if (first === undefined) return {};
  const bundle = files.length > 1 || replaced.length > 0 ? await writeBundle(store, files) : first;
  return Object.fromEntries([
    ...added.map((name) => [name, files.length > 1 ? bundle : first]),
    ...replaced.map((name) => [name, bundle]),
  ]);
}

/** For a git that has no certificates named in its own settings, which the variable would beat. */
export async function gitTrustEnv({ callerEnv, store }: Pick<ActorContext, 'callerEnv' | 'store'>): Promise<Variables> {
  if (callerEnv.GIT_SSL_CAINFO !== undefined) return {};
  const files = namedFiles(callerEnv);
  return files.length === 0 ? {} : { GIT_SSL_CAINFO: await writeBundle(store, files) };
}

/** `certificates/<hash>.pem` in the home, written once for a state of the files. */
async function writeBundle(store: ActorContext['store'], files: readonly string[]): Promise<string> {
  const system = SYSTEM_BUNDLES.find((file) => existsSync(file));
  const parts = [...new Set([...(system === undefined ? [] : [system]), ...files])];
  const states = await Promise.all(
    parts.map(async (file) => [file, (await stat(file)).mtimeMs, (await stat(file)).size]),
  );
  const hash = createHash('sha256')
    .update(JSON.stringify([process.version, states]))
    .digest('hex')
    .slice(0, 16);
  const path = join(store.home, 'certificates', `${hash}.pem`);
  if (await exists(path)) return path;
  const { rootCertificates } = await import('node:tls');
  const texts = await Promise.all(parts.map((file) => readFile(file, 'utf8').catch(() => '')));
  await store.open();
  await mkdir(join(store.home, 'certificates'), { recursive: true, mode: 0o700 });
  await atomicWrite(path, [...rootCertificates, ...texts].map((text) => `${text.trim()}\n`).join(''));
  return path;
}
