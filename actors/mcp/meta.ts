/** What our requests say of us in each protocol era. */

/** Our name and version on the wire; a test compares it with package.json. */
export const CLIENT_INFO = { name: 'mcp-supervisor', version: '0.1.0' } as const;

/** Last revision with the `initialize` handshake. */
export const LEGACY_VERSION = '2025-11-25';
/** First revision without it. */
export const MODERN_VERSION = '2026-07-28';

const PREFIX = 'io.modelcontextprotocol/';
export const VERSION_KEY = `${PREFIX}protocolVersion`;
export const SERVER_INFO_KEY = `${PREFIX}serverInfo`;
export const SUBSCRIPTION_KEY = `${PREFIX}subscriptionId`;

type Meta = Readonly<Record<string, unknown>>;
interface Params {
  readonly _meta?: Meta;
}

/** Envelope that every request of the modern era carries. */
export const modernMeta = (version: string): Meta => ({
  [`${PREFIX}clientInfo`]: CLIENT_INFO,
  [`${PREFIX}clientCapabilities`]: {},
  [VERSION_KEY]: version,
});

/**
 * Params as they go out: untouched unless the era or a progress token wants otherwise. A caller's own client info and
 * capabilities win over ours; the protocol version never does, it must match the header.
 */
export function outgoingParams(params: unknown, envelope: Meta | null, progressToken: number | null): unknown {
  const meta = (params as Params | undefined)?._meta;
  if (envelope === null && progressToken === null && meta === undefined) return params;
  const token = progressToken === null ? null : { progressToken };
  if (envelope !== null) {
    return {
      ...(params as object),
      _meta: { ...envelope, ...meta, [VERSION_KEY]: envelope[VERSION_KEY], ...token },
    };
  }
  return { ...(params as object), _meta: { ...withoutModernKeys(meta), ...token } };
}

/** Servers that serve the legacy era refuse requests with the modern envelope (Python: -32600). */
function withoutModernKeys(meta: Meta | undefined): Meta {
  return Object.fromEntries(Object.entries(meta ?? {}).filter(([key]) => !ENVELOPE_KEYS.has(key)));
}

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([...Object.keys(modernMeta('')), `${PREFIX}logLevel`]);
