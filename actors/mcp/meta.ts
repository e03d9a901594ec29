/** What our requests say of us in each protocol era. */

/** Our name and version on the wire; a test compares it with package.json. */
export const CLIENT_INFO = { name: 'mcp-supervisor', version: '0.1.0' } as const;

/** Last revision with the `initialize` handshake. */
export const LEGACY_VERSION = '2025-11-25';
/** First revision without it. */
export const MODERN_VERSION = '2026-07-28';

/** Of any revision, known or not: they are dates. */
export const eraOfVersion = (version: string): 'legacy' | 'modern' => (version >= MODERN_VERSION ? 'modern' : 'legacy');

const PREFIX = 'io.modelcontextprotocol/';
export const VERSION_KEY = `${PREFIX}protocolVersion`;
export const CLIENT_INFO_KEY = `${PREFIX}clientInfo`;
export const CAPABILITIES_KEY = `${PREFIX}clientCapabilities`;
export const LOG_LEVEL_KEY = `${PREFIX}logLevel`;
export const SERVER_INFO_KEY = `${PREFIX}serverInfo`;
export const SUBSCRIPTION_KEY = `${PREFIX}subscriptionId`;

type Meta = Readonly<Record<string, unknown>>;
interface Params {
  readonly _meta?: Meta;
}

/** What a client can be asked, as `initialize` declares it. */
export type ClientCapabilities = Readonly<Record<string, unknown>>;

/** Of an interactive plugin, whoever its clients are: each question is put to the one that it concerns, if that can be asked. */
export const ASK_ANYTHING: ClientCapabilities = {
  sampling: { tools: {} },
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
};

/** Revision 2026-07-28 knows no `roots.listChanged`. */
export const modernCapabilities = ({ roots, ...others }: ClientCapabilities): ClientCapabilities =>
  roots === undefined ? others : { ...others, roots: {} };

/** Envelope that every request of the modern era carries. */
export const modernMeta = (version: string, capabilities: ClientCapabilities = {}): Meta => ({
  [CLIENT_INFO_KEY]: CLIENT_INFO,
  [CAPABILITIES_KEY]: modernCapabilities(capabilities),
  [VERSION_KEY]: version,
});

/**
 * Makes the params that go out of the caller's; `progressToken` is null when nobody listens to progress, `askable` when
 * somebody answers what the server asks.
 */
export type ShapeParams = (params: unknown, progressToken: number | null, askable: boolean) => unknown;

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
export const modernParams = (version: string, capabilities: ClientCapabilities = {}): ShapeParams => {
  const bare = modernMeta(version);
  const interactive = modernMeta(version, capabilities);
  return (params, progressToken, askable) => ({
    ...(params as object),
    _meta: {
      ...(askable ? interactive : bare),
      ...(params as Params | undefined)?._meta,
      [VERSION_KEY]: version,
      ...(progressToken !== null && { progressToken }),
    },
  });
};

const ENVELOPE_KEYS: ReadonlySet<string> = new Set([...Object.keys(modernMeta('')), LOG_LEVEL_KEY]);
