import { describe, expect, it } from 'vitest';
import { json, planOf, SDK } from './plan-of.ts';

const node = (source: string, more: Record<string, string> = {}) =>
  planOf({
    'package.json': json({ name: 'x', scripts: { start: 'node server.js' }, dependencies: SDK }),
    'server.js': source,
    ...more,
  }).endpoint;
const python = (source: string) => planOf({ 'requirements.txt': 'mcp', 'server.py': source }).endpoint;

describe('the event stream of an older HTTP server', () => {
  it.each<[string, string | null, string | null]>([
    [
      'at the one route that opens it',
      node(
        'app.get("/", (q, s) => s.send("hi"));\napp.get("/mcp", async (q, s) => { new SSEServerTransport("/m", s) });',
      ),
      '/mcp',
    ],
    [
      'at a path of its own, written without an SDK',
      node('app.get("/mqtt/sse", (q, s) => s.setHeader("x", "text/event-stream"));\ncase "tools/list":'),
      '/mqtt/sse',
    ],
    [
      'with the slash that a redirect would lose',
      python('t = SseServerTransport("/m")\nroutes=[Route("/sse/", endpoint=h)]\nuvicorn.run(app)'),
      '/sse/',
    ],
    ['at a usual path, which is tried anyway', node('app.get("/sse", () => new SSEServerTransport())'), null],
    ['of something else than MCP', node('app.get("/feed", (q, s) => s.type("text/event-stream")).listen(1)'), null],
    ['at a path with parameters', node('app.get("/u/:id/sse", () => new SSEServerTransport())'), null],
    [
      'of several',
      node('app.get("/a/sse", () => new SSEServerTransport());\napp.get("/b/sse", () => new SSEServerTransport())'),
      null,
    ],
    [
      'of the program, not of a trial beside it',
      node('app.get("/mcp", () => new SSEServerTransport())', {
        'utils/try.js': 'app.get("/sse", () => new SSEServerTransport())',
      }),
      '/mcp',
    ],
    [
      'beside the newer transport',
      node('app.get("/mcp", () => new SSEServerTransport())', { 'src/http.ts': 'new StreamableHTTPServerTransport()' }),
      null,
    ],
  ])('%s', (_, endpoint, expected) => {
    expect(endpoint).toBe(expected);
  });
});
