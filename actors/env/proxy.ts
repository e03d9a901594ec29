/** The user's way out, in the spelling that each program reads. */

type CallerEnv = Readonly<Record<string, string | undefined>>;
type Variables = Record<string, string>;

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'] as const;

/** What is never beyond a proxy. */
export const LOOPBACK = 'localhost,127.0.0.1,::1';

/** The caller's value, in whichever case; small letters win, as with curl, Go and Python. Undefined when it has none. */
export const proxyVariable = (callerEnv: CallerEnv, name: (typeof NAMES)[number]): string | undefined =>
  callerEnv[name.toLowerCase()] ?? callerEnv[name];

/**
 * The other case of each proxy variable that the caller has in one: curl, and so git, takes `http_proxy` in small letters
 * alone, and others know only the capitals. What the caller has is not in it.
 */
export function proxyEnv(callerEnv: CallerEnv): Variables {
  const env: Variables = {};
  for (const name of NAMES) {
    const value = proxyVariable(callerEnv, name);
    if (value === undefined) continue;
    for (const spelling of [name, name.toLowerCase()]) if (callerEnv[spelling] === undefined) env[spelling] = value;
  }
  return env;
}

/**
 * The same for a plugin, which must reach itself and its neighbours: where there is a proxy and nothing is said of what
 * goes past it, the loopback does. Whoever says anything says all.
 */
export function pluginProxyEnv(callerEnv: CallerEnv): Variables {
  const isBehindProxy = NAMES.some((name) => name !== 'NO_PROXY' && proxyVariable(callerEnv, name));
  const isSilent = proxyVariable(callerEnv, 'NO_PROXY') === undefined;
  const direct = isBehindProxy && isSilent ? { NO_PROXY: LOOPBACK, no_proxy: LOOPBACK } : {};
  return { ...proxyEnv(callerEnv), ...direct };
}
