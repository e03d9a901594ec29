/** Options that would silently mean nothing are refused: a check that never matches looks like one that always does. */

import { isIP } from 'node:net';
import { supervisorError } from '../../errors.ts';
import type { GatewayOptions } from '../options.ts';

const listOf = (fits: (text: string) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' && fits(one));
const isPositive = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value > 0;
const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const isFlag = (value: unknown) => typeof value === 'boolean';

const EXPECTED: { readonly [Name in keyof GatewayOptions]-?: readonly [string, (value: unknown) => boolean] } = {
  profiles: ['an object of profiles', isObject],
  allowHost: [
    'a list of host names, with a port or without',
    listOf((host) => /^(\[[0-9a-f:.]+\]|[^\s/:@]+)(:\d+)?$/i.test(host)),
  ],
  allowOrigin: [
    'a list of origins such as https://app.example',
    listOf((origin) => /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^\s/]+\/?)$/i.test(origin)),
  ],
  trustedProxy: ['an IP address', (value) => typeof value === 'string' && isIP(value) !== 0],
  auth: ["'off-loopback' or 'always'", (value) => value === 'off-loopback' || value === 'always'],
  tokens: [
    'a list of {token, profile}',
    (value) => Array.isArray(value) && value.every((one) => typeof one?.token === 'string'),
  ],
  maxBody: ['a positive number of bytes', isPositive],
  rateLimit: ['a positive number of requests a second', isPositive],
  maxToolName: ['a positive number of characters', isPositive],
  legacySse: ['true or false', isFlag],
  basePath: ['a path such as /tools', (value) => typeof value === 'string' && /^(\/.*)?$/.test(value)],
  logger: ['a logger', isObject],
};

/** Throws CONFIG_INVALID, which names the option and never its value: it may be a token. */
export function checkGatewayOptions(options: GatewayOptions): void {
  for (const [name, [expected, fits]] of Object.entries(EXPECTED)) {
    const value = options[name as keyof GatewayOptions];
    if (value === undefined || fits(value)) continue;
    throw supervisorError('CONFIG_INVALID', { message: `The gateway's '${name}' must be ${expected}.` });
  }
}
