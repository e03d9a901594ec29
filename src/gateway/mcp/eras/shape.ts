import type { Fields } from '../../../../actors/fields.ts';
import type { Era } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';
import { legacyToolResult, legacyTools } from './legacy-tools.ts';

/** Results that revision 2026-07-28 lets clients keep for a while. */
const CACHEABLE =
  /^(tools\/list|prompts\/list|resources\/list|resources\/templates\/list|resources\/read|server\/discover)$/;

/**
 * A result as the client's revision wants it: with `resultType`, and `ttlMs` and `cacheScope` where the modern one demands
 * them (nothing is kept: what one gateway passes on may be another client's), without them in the legacy era. The same
 * object where both speak alike. `from` is null for what speaks no MCP, and for what we put together ourselves.
 */
export function shapeResult(method: string, result: unknown, from: Era | null, to: Era): unknown {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return result;
  if (to === 'modern') {
    // A modern server that leaves them out is helped as well.
    if ('resultType' in result && (from === 'modern' || !CACHEABLE.test(method))) return result;
    const fresh = CACHEABLE.test(method) ? { ttlMs: 0, cacheScope: 'private' } : {};
    return { resultType: 'complete', ...fresh, ...result };
  }
  if (from === 'legacy') return result;
  if (from === null) return method === 'tools/list' ? withLegacyTools(result as Fields) : result;
  const { resultType, ...rest } = result as Fields;
  if (method === 'tools/call') return legacyToolResult(rest);
  if (!CACHEABLE.test(method)) return rest;
  const { ttlMs, cacheScope, ...kept } = rest;
  return method === 'tools/list' ? withLegacyTools(kept) : kept;
}

function withLegacyTools(result: Fields): Fields {
  if (!Array.isArray(result.tools)) return result;
  const tools = legacyTools(result.tools);
  return tools === result.tools ? result : { ...result, tools };
}

/** An error as the client's revision knows it. */
export function shapeError(error: RpcError, to: Era): RpcError {
  if (to === 'legacy' || error.code !== RPC.resourceNotFound) return error;
  return new RpcError(RPC.invalidParams, error.message, error.data, { cause: error });
}
