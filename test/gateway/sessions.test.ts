import { describe, expect, it } from 'vitest';
import { eventually, puppet } from '../reliability/stage.ts';
import { isAlive } from '../support/leftovers.ts';
import { createGatewayStage } from './gateway-stage.ts';
import { capabilities, legacyHttp, modernHttp, type RawClient } from './raw-clients.ts';

const ask = async (client: RawClient, name: string): Promise<string> =>
  (await client.request('tools/call', { name, arguments: {} })).result.content[0].text;

describe('a plugin with an instance for each session, behind the gateway', () => {
  it('gives each client that stays its own, told what that client can be asked, and ends it when the client leaves', async () => {
    await using stage = await createGatewayStage({ p: puppet('', { instances: 'per-session' }) });
    const { supervisor } = stage;
    const url = `${stage.url}/plugins/p/mcp`;
    const one = await legacyHttp(url);
    const two = await legacyHttp(url);
    expect([await ask(one, 'count'), await ask(one, 'count'), await ask(two, 'count')]).toEqual(['1', '2', '1']);
    expect(JSON.parse(await ask(one, 'capabilities'))).toEqual(capabilities);
    const [first, second] = [Number(await ask(one, 'pid')), Number(await ask(two, 'pid'))];
    await one[Symbol.asyncDispose]();
    await eventually(async () => !(await isAlive(first)));
    expect(await isAlive(second)).toBe(true);
    expect(await ask(two, 'count')).toBe('2');
    await two[Symbol.asyncDispose]();
    await eventually(() => supervisor.status('p').instances?.length === 1);
  });

  it('takes requests that belong to no session to the one that is everybody’s', async () => {
    await using stage = await createGatewayStage({ p: puppet('', { instances: 'per-session' }) });
    const client = modernHttp(`${stage.url}/plugins/p/mcp`);
    expect([await ask(client, 'count'), await ask(client, 'count')]).toEqual(['1', '2']);
    expect(stage.supervisor.status('p').instances).toHaveLength(1);
  });
});

describe('a pool behind the gateway', () => {
  it('serves clients of every kind while one of it crashes', async () => {
    await using stage = await createGatewayStage({ p: puppet('', { instances: { pool: 2 }, activation: 'eager' }) });
    const { supervisor } = stage;
    await eventually(() => supervisor.status('p').instances?.filter(({ state }) => state === 'ready').length === 2);
    const clients = [await legacyHttp(`${stage.url}/plugins/p/mcp`), modernHttp(`${stage.url}/plugins/p/mcp`)];
    process.kill(supervisor.status('p').instances![0]!.pid!, 'SIGKILL');
    for (const client of clients) expect(await ask(client, 'pid')).toMatch(/^\d+$/);
    const response = await stage.post('/plugins/p/tools/pid', {});
    expect(response.status).toBe(200);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });
});
