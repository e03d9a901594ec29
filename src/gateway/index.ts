/** `mcp-supervisor/gateway`: every plugin over REST and MCP. Adding a name here is an API decision; test/exports.test.ts pins the list. */

export type { Gateway } from './contracts.ts';
export { createGateway } from './gateway.ts';
export { type HttpService, type ServeHttpOptions, serveHttp } from './http/serve-http.ts';
export { createToken, loadOrCreateToken, type StoredToken } from './http/token-file.ts';
export type { GatewayOptions, Profile, TokenOptions } from './options.ts';
