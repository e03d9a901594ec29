/**
 * Yarn since version 2 reads neither the proxy variables nor `.npmrc`. Where the user has no settings for it, it gets
 * those that every other package manager goes by.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { proxyVariable } from './proxy.ts';

type CallerEnv = Readonly<Record<string, string | undefined>>;

/** Values are secrets. */
export async function yarnEnv(callerEnv: CallerEnv): Promise<Record<string, string>> {
  const { HOME = homedir() } = callerEnv;
  if (existsSync(join(HOME, callerEnv.YARN_RC_FILENAME ?? '.yarnrc.yml'))) return {};
  const npmrc = await readNpmrc(callerEnv, HOME);
  const variable = (name: string) => callerEnv[`npm_config_${name}`] ?? callerEnv[`NPM_CONFIG_${name.toUpperCase()}`];
  const registry = variable('registry') ?? npmrc.registry;
  const found: Record<string, string | undefined> = {
    YARN_NPM_REGISTRY_SERVER: registry,
    ...loginOf(npmrc, registry),
    ...(goesDirect(registry ?? 'https://registry.yarnpkg.com', proxyVariable(callerEnv, 'NO_PROXY') ?? '')
      ? {}
      : {
          YARN_HTTP_PROXY: proxyVariable(callerEnv, 'HTTP_PROXY') ?? npmrc.proxy,
          YARN_HTTPS_PROXY: proxyVariable(callerEnv, 'HTTPS_PROXY') ?? npmrc['https-proxy'] ?? npmrc.proxy,
        }),
    // Or it refuses every registry without TLS, which npm takes as it is named.
    YARN_UNSAFE_HTTP_WHITELIST: registry?.startsWith('http:') ? new URL(registry).hostname : undefined,
  };
  return Object.fromEntries(
    Object.entries(found).filter(
      (entry): entry is [string, string] => Boolean(entry[1]) && callerEnv[entry[0]] === undefined,
    ),
  );
}

function loginOf(npmrc: Readonly<Record<string, string>>, registry: string | undefined) {
  if (registry === undefined || !URL.canParse(registry)) return {};
  const { host, pathname } = new URL(registry);
  const scope = `//${host}${pathname.endsWith('/') ? pathname : `${pathname}/`}`;
  const token = npmrc[`${scope}:_authToken`];
  const basic = npmrc[`${scope}:_auth`];
  if (token === undefined && basic === undefined) return {};
  return {
    YARN_NPM_AUTH_TOKEN: token,
    YARN_NPM_AUTH_IDENT: token === undefined ? basic : undefined,
    YARN_NPM_ALWAYS_AUTH: 'true',
  };
}

/** The user's own `.npmrc`, its `${NAME}`s filled in as npm does; a plugin's has no say in where logins go. */
async function readNpmrc(callerEnv: CallerEnv, home: string): Promise<Record<string, string>> {
  const { npm_config_userconfig, NPM_CONFIG_USERCONFIG = npm_config_userconfig } = callerEnv;
  const text = await readFile(NPM_CONFIG_USERCONFIG || join(home, '.npmrc'), 'utf8').catch(() => '');
  const settings: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const bare = value.replace(/^(["'])(.*)\1$/, '$2');
    settings[name] = bare.replace(/\$\{([^}?]+)\??\}/g, (whole, variable: string) => callerEnv[variable] ?? whole);
  }
  return settings;
}

/** Yarn knows no exceptions from its proxy. */
function goesDirect(registry: string, noProxy: string): boolean {
  if (!URL.canParse(registry)) return true;
  const { hostname } = new URL(registry);
  return noProxy
    .split(/[,\s]+/)
    .map((entry) => entry.replace(/^\*?\./, '').replace(/:\d+$/, ''))
    .some((entry) => entry === '*' || (entry !== '' && (hostname === entry || hostname.endsWith(`.${entry}`))));
}
