/** What our requests say of us in each protocol era. */

/** Our name and version on the wire; a test compares it with package.json. */
export const CLIENT_INFO = { name: 'mcp-supervisor', version: '0.1.0' } as const;

/** Last revision with the `initialize` handshake. */
export const LEGACY_VERSION = '2025-11-25';
/** First revision without it. */
export const MODERN_VERSION = '2026-07-28';

const PREFIX = 'io.modelcontextprotocol/';
const VERSION_KEY = `${PREFIX}protocolVersion`;
export const SERVER_INFO_KEY = `${PREFIX}serverInfo`;

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

/** Makes the params that go out of the caller's; `progressToken` is null when nobody listens to progress. */
export type ShapeParams = (params: unknown, progressToken: number | null) => unknown;

/** Before the handshake is done: it brings its own envelope. */
export const bareParams: ShapeParams = (params) => params;

/**
 * Untouched, but for the progress token and for a modern envelope, which servers of the legacy era refuse (Python:
 * -32600).
 */
export const legacyParams: ShapeParams = (params, progressToken) => {
  const meta = (params as Params | undefined)?._meta;
  if (progressToken === null && meta === undefined) return params;
  const kept = Object.fromEntries(Object.entries(meta ?? {}).filter(([key]) => !ENVELOPE_KEYS.has(key)));
  return { ...(params as object), _meta: { ...kept, ...(progressToken !== null && { progressToken }) } };
};

/** In our envelope; a caller's own client info and capabilities win, the version never: it must match the header. */
export const modernParams = (version: string): ShapeParams => {
  const envelope = modernMeta(version);
  return (params, progressToken) => ({
    ...(params as object),
    _meta: {
      ...envelope,
      ...(params as Params | undefined)?._meta,
      [VERSION_KEY]: version,
      ...(progressToken !== null && { progressToken }),
    },
  });
};

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([...Object.keys(modernMeta('')), `${PREFIX}logLevel`]);
