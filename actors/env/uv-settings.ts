/**
 * uv does the work of pip here, and reads nothing of pip's: whoever has told pip alone where packages come from has told
 * it nothing. What pip knows goes to uv as variables, as far as the user has not told uv itself.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { pipSetting, readPipConfig } from './pip-config.ts';
import { proxyVariable } from './proxy.ts';

type CallerEnv = Readonly<Record<string, string | undefined>>;
type Variables = Record<string, string>;

/** Variables that say where uv takes packages from: with one of them the user has decided. */
const INDEXES = /^UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|NO_INDEX|FIND_LINKS|CONFIG_FILE)$/;
/** The same in uv.toml, at its top or below `[pip]`. */
const INDEX_SETTINGS = /^\s*(\[\[\s*(pip\.)?index\s*\]\]|(index|index-url|extra-index-url|no-index|find-links)\s*=)/m;

/** Values are secrets: an index's address may hold a login. */
export async function uvEnv(callerEnv: CallerEnv): Promise<Variables> {
  const config = await readPipConfig(callerEnv);
  const setting = (name: string) => pipSetting(config, callerEnv, name);
  const list = (name: string) => (setting(name) ?? '').split(/\s+/).filter((each) => each !== '');
  const own = await readUvSettings(callerEnv);
  const decided = INDEX_SETTINGS.test(own) || Object.keys(callerEnv).some((name) => INDEXES.test(name));
  const extra = list('extra-index-url');
  const found: Record<string, string | undefined> = {
    ...(decided
      ? {}
      : {
          UV_INDEX_URL: setting('index-url'),
          UV_EXTRA_INDEX_URL: extra.join(' '),
          // pip looks at all of them and takes the newest; here the named ones first, and a package that they have in a
          // version that fits comes from nowhere else.
          UV_INDEX_STRATEGY: extra.length > 0 ? 'unsafe-first-match' : undefined,
          UV_FIND_LINKS: list('find-links').filter(isThere).join(','),
          UV_NO_INDEX: isOn(setting('no-index')) ? '1' : undefined,
        }),
    UV_INSECURE_HOST: list('trusted-host').join(' '),
    UV_KEYRING_PROVIDER: setting('keyring-provider') === 'subprocess' ? 'subprocess' : undefined,
    UV_HTTP_TIMEOUT: setting('timeout') ?? callerEnv.PIP_DEFAULT_TIMEOUT,
    SSL_CLIENT_CERT: setting('client-cert'),
    ...proxiesOf(callerEnv, setting('proxy')),
  };
  return Object.fromEntries(
    Object.entries(found).filter(
      (entry): entry is [string, string] => Boolean(entry[1]) && callerEnv[entry[0]] === undefined,
    ),
  );
}

/** pip's own proxy, where the user names none for everybody. */
function proxiesOf(callerEnv: CallerEnv, proxy: string | undefined): Record<string, string | undefined> {
  const hasOne = (['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'] as const).some((name) => proxyVariable(callerEnv, name));
  if (hasOne || proxy === undefined) return {};
  const url = proxy.includes('://') ? proxy : `http://${proxy}`;
  return { HTTP_PROXY: url, http_proxy: url, HTTPS_PROXY: url, https_proxy: url };
}

/** uv fails where a folder of wheels is missing; pip only says so. Relative ones mean another folder. */
const isThere = (place: string): boolean => place.includes('://') || (isAbsolute(place) && existsSync(place));

const isOn = (value: string | undefined): boolean => /^(1|true|yes|on)$/i.test(value ?? '');

async function readUvSettings({ XDG_CONFIG_HOME, XDG_CONFIG_DIRS, HOME = homedir() }: CallerEnv): Promise<string> {
  const dirs = [
    ...(XDG_CONFIG_DIRS || '/etc/xdg').split(':').filter((dir) => dir !== ''),
    '/etc',
    XDG_CONFIG_HOME || join(HOME, '.config'),
  ];
  const texts = await Promise.all(dirs.map((dir) => readFile(join(dir, 'uv', 'uv.toml'), 'utf8').catch(() => '')));
  return texts.join('\n');
}
