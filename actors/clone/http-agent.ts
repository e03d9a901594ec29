/** How downloads leave this machine: by the user's proxy, trusting the user's certificates. */

import type { Dispatcher } from 'undici';
import { trustedCertificates } from '../env/certificates.ts';
import { LOOPBACK, proxyVariable } from '../env/proxy.ts';

type CallerEnv = Readonly<Record<string, string | undefined>>;

export const MOST_REDIRECTS = 10;

export interface HttpAgentOptions {
  /** Milliseconds; 0 for none. Default: undici's. */
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly connectTimeout?: number;
  /** Where nothing is said of what goes past the proxy, this machine does. Default false. */
  readonly directLoopback?: boolean;
}

/** Reads the caller's variables, not the process's own: they may be another program's. */
export async function createHttpAgent(
  callerEnv: CallerEnv,
  { directLoopback = false, ...timeouts }: HttpAgentOptions = {},
): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici');
  const all = proxyVariable(callerEnv, 'ALL_PROXY');
  const ca = await trustedCertificates(callerEnv);
  const tls = ca === null ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } };
  // The empty ones keep it from looking into the process's environment.
  const options = {
    httpProxy: proxyUrl(proxyVariable(callerEnv, 'HTTP_PROXY') ?? all),
    httpsProxy: proxyUrl(proxyVariable(callerEnv, 'HTTPS_PROXY') ?? all),
    noProxy: proxyVariable(callerEnv, 'NO_PROXY') ?? (directLoopback ? LOOPBACK : ''),
    // Most proxies tunnel to the port of https alone; plain HTTP is asked for by its whole address.
    proxyTunnel: false,
    ...tls,
    ...timeouts,
  };
  return new EnvHttpProxyAgent(options as ConstructorParameters<typeof EnvHttpProxyAgent>[0]);
}

/** curl takes `proxy:8080`, too. What is no address is none. */
function proxyUrl(value = ''): string {
  const url = value === '' || value.includes('://') ? value : `http://${value}`;
  return URL.canParse(url) ? url : '';
}

/** Where a redirect leads; null for an answer that is none, and for one to a place less safe than where we are. */
export function redirectOf(url: string, status: number, location: unknown): string | null {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string' || !URL.canParse(location, url)) {
    return null;
  }
  const next = new URL(location, url);
  return next.protocol === 'https:' || next.protocol === new URL(url).protocol ? next.href : null;
}
