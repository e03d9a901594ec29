/** What a request of the modern era says of its client, in `_meta`. */

import { type Fields, isFields } from '../../../../actors/fields.ts';
import { CAPABILITIES_KEY, CLIENT_INFO_KEY, VERSION_KEY } from '../../../../actors/mcp/meta.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { isRemoved, MODERN_VERSIONS } from '../versions.ts';

export interface Envelope {
  readonly version: string;
  readonly capabilities: Fields;
  readonly info: Fields;
}

/** Whether these params claim to be of the modern era. */
export function hasEnvelope(params: unknown): boolean {
  const meta = (params as { _meta?: unknown } | null | undefined)?._meta;
  return isFields(meta) && VERSION_KEY in meta;
}

/** Throws RpcError -32602 when something is missing. */
export function readEnvelope(params: unknown): Envelope {
  const meta = isFields(params) && isFields(params._meta) ? params._meta : {};
  const version = meta[VERSION_KEY];
  const capabilities = meta[CAPABILITIES_KEY];
  const info = meta[CLIENT_INFO_KEY];
  if (typeof version !== 'string') throw missing(VERSION_KEY, 'a string');
  if (!isFields(capabilities)) throw missing(CAPABILITIES_KEY, 'an object');
  if (info !== undefined && !isFields(info)) throw missing(CLIENT_INFO_KEY, 'an object');
  return { version, capabilities, info: info ?? {} };
}

const missing = (key: string, what: string) =>
  new RpcError(RPC.invalidParams, `Invalid params: _meta["${key}"] must be ${what}.`, { envelope: { key } });

/** Throws RpcError when the revision is none of ours (-32022), or has no such method (-32601). */
export function checkRevision({ version }: Envelope, method: string): void {
  if (!MODERN_VERSIONS.includes(version)) {
    throw new RpcError(RPC.unsupportedVersion, `Unsupported protocol version: ${version}`, {
      supported: MODERN_VERSIONS,
      requested: version,
    });
  }
  if (isRemoved(method)) throw new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
}
