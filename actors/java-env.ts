/** What the JVM does not read from the environment as other programs do: where Java is, and the way through a proxy. */

import { dirname } from 'node:path';

type Variables = Record<string, string>;
type CallerEnv = Readonly<Record<string, string | undefined>>;

/** Words of a caller's options for every JVM that are about the network alone; others (agents, debuggers) are for their own. */
const NETWORK =
  /^-D(https?\.(proxy(Host|Port|User)|nonProxyHosts)|socksProxy(Host|Port)|java\.net\.useSystemProxies|javax\.net\.ssl\.(trustStore|trustStoreType|trustStorePassword))=/;

/**
 * For everything that runs where Java is among the tools. JAVA_HOME is all that Maven, Gradle and start scripts ask for,
 * and the caller's own may be another Java than the plan's. A proxy without a login is said in Java's own words too.
 */
export function javaEnv(programs: Readonly<Record<string, string>>, callerEnv: CallerEnv, whole: boolean): Variables {
  const { java } = programs;
  if (java?.endsWith('/bin/java') !== true || !java.startsWith('/')) return {};
  const said = (callerEnv.JAVA_TOOL_OPTIONS ?? '').split(/\s+/).filter((word) => word !== '');
  const words = [...(whole ? said : said.filter((word) => NETWORK.test(word)))];
  if (!said.some((word) => /proxyHost=/i.test(word))) words.push(...proxyWords(callerEnv));
  return { JAVA_HOME: dirname(dirname(java)), ...(words.length > 0 && { JAVA_TOOL_OPTIONS: words.join(' ') }) };
}

function proxyWords(env: CallerEnv): string[] {
  const words = ['http', 'https'].flatMap((scheme) => {
    const value = env[`${scheme}_proxy`] ?? env[`${scheme.toUpperCase()}_PROXY`] ?? env.all_proxy ?? env.ALL_PROXY;
    const proxy = value === undefined || value === '' ? null : parsed(value);
    return proxy === null ? [] : [`-D${scheme}.proxyHost=${proxy.host}`, `-D${scheme}.proxyPort=${proxy.port}`];
  });
  const exceptions = (env.no_proxy ?? env.NO_PROXY ?? '')
    .split(',')
    .map((each) =>
      each
        .trim()
        .replace(/^\*?\./, '*.')
        .replace(/:\d+$/, ''),
    )
    .filter((each) => /^[\w.*-]+$/.test(each));
  if (words.length === 0 || exceptions.length === 0) return words;
  return [...words, `-Dhttp.nonProxyHosts=${['localhost', '127.*', '[::1]', ...exceptions].join('|')}`];
}

/** Null for what is no HTTP proxy, or wants a login: Java has no word for one, and options are shown by every JVM. */
function parsed(value: string): { readonly host: string; readonly port: string } | null {
  try {
    const url = new URL(value.includes('://') ? value : `http://${value}`);
    if (!/^https?:$/.test(url.protocol) || url.username !== '') return null;
    return { host: url.hostname, port: url.port || (url.protocol === 'https:' ? '443' : '80') };
  } catch {
    return null;
  }
}
