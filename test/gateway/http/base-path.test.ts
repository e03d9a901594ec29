import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { createStage, puppet } from '../../reliability/stage.ts';

it('all addresses lie below the path that a server of the user’s own hands on', async () => {
  await using stage = await createStage({ plugins: { p: puppet() } });
  const gateway = createGateway(stage.supervisor, { basePath: '/tools/', legacySse: true });
  const server = createServer((request, response) => {
    if (request.url === '/') response.end('mine');
    else gateway.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);

  expect(await (await ask('/')).text()).toBe('mine');
  expect((await ask('/tools')).status).toBe(200);
  expect((await ask('/tools/healthz')).status).toBe(200);
  for (const path of ['/healthz', '/toolsheds', '/plugins']) expect((await ask(path)).status).toBe(404);
  const document = await ask('/tools/plugins/p/openapi.json');
  const [server0] = ((await document.json()) as { servers: { url: string }[] }).servers;
  const echo = `${new URL(server0?.url ?? '', document.url).pathname}/tools/echo`;
  expect(echo).toBe('/tools/plugins/p/tools/echo');
  expect(await (await ask(echo, { method: 'POST', body: '{"message":"hello"}' })).text()).toBe('hello');

  const stream = await ask('/tools/plugins/p/sse');
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toContain('data: /tools/plugins/p/sse?sessionId=');
  await gateway.close();
  await reader.cancel().catch(() => {});
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
