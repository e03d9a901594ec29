import { expect, it } from 'vitest';
import { eventually } from '../../reliability/stage.ts';
import { createGatewayStage } from '../gateway-stage.ts';

const VALUE = 'the-value-that-nobody-may-see';
const PASSWORD = 'hunter2-and-more';
const says =
  'process.stderr.write(`key ${process.env.KEY}\\n`); process.stdout.write(`out ${process.env.KEY}\\n`); process.exit(3)';

it('no answer and no log has a secret of a plugin, whatever goes wrong with it', async () => {
  const plugins = {
    talks: { source: `-- node -e '${says}'`, env: { KEY: VALUE } },
    far: { source: `https://somebody:${PASSWORD}@127.0.0.1:1/x.git` },
  };
  await using stage = await createGatewayStage(plugins, {}, { restartPolicy: { maxFailedStarts: 1 } });
  const events = await stage.get('/events?logs=true');
  const heard: string[] = [];
  const listening = (async () => {
    for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) heard.push(chunk);
  })().catch(() => {});
  const said: string[] = [];
  const headers = { accept: 'application/json, text/event-stream' };
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  for (const name of ['talks', 'far']) {
    const failed = await stage.post(`/plugins/${name}`, { tool: 'any' });
    expect(failed.status).toBe(503);
    said.push(await failed.text());
    for (const path of ['', '/logs', '/history', '/tools', '/openapi.json', '/metrics'])
      said.push(await (await stage.get(`/plugins/${name}${path}`)).text());
    for (const [method, params] of [
      ['initialize', hello],
      ['tools/list', {}],
      ['tools/call', { name: 'any', arguments: {} }],
    ]) {
      const body = { jsonrpc: '2.0', id: 1, method, params };
      said.push(await (await stage.post(`/plugins/${name}/mcp`, body, { headers })).text());
    }
  }
  for (const path of ['/', '/plugins', '/readyz', '/metrics']) said.push(await (await stage.get(path)).text());
  await eventually(() => heard.join('').includes('CLONE_') && heard.join('').includes('LAUNCH_EXITED'));
  await stage.gateway.close();
  await listening;
  const everything = [...said, ...heard, ...stage.gatewayLog, ...stage.complaints].join('\n');
  expect(everything).toMatch(/key \S+/);
  expect(everything).not.toContain(VALUE);
  expect(everything).not.toContain(PASSWORD);
});
