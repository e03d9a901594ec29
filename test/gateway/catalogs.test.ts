import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createCatalogs } from '../../src/gateway/catalogs.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { eventually, failureOf, puppet } from '../reliability/stage.ts';
import { createDesk, library } from './mcp/desk.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe('what is known of every plugin', () => {
  it('is all pages of every list and the handshake as it was, learned by whoever starts it', async () => {
    await using desk = await createDesk({ one: library('one') });
    expect(desk.catalogs.get('one')).toBeNull();
    expect(desk.catalogs.get('nobody')).toBeNull();
    await desk.supervisor.call('one', { tool: 'echo' });
    const known = await eventually(() => desk.catalogs.get('one') ?? undefined);
    expect(known.tools).toHaveLength(8);
    expect(known).toMatchObject({
      era: 'legacy',
      server: {
        protocolVersion: '2025-06-18',
        serverInfo: { name: 'one', 'x-vendor': true },
        instructions: 'Ask one.',
      },
      prompts: [{ name: 'greet', 'x-vendor': 1 }],
      resources: [{ uri: 'test://common' }, { uri: 'one://own' }],
      resourceTemplates: [{ uriTemplate: 'one://item/{id}/data' }],
    });
  });

  it('outlives the process, but not another source, and a broken file is no catalog', async () => {
    await using desk = await createDesk({ one: library('one') });
    await desk.catalogs.learn('one');
    const path = desk.supervisor.catalogFile('one');
    await eventually(async () => (await stat(path).catch(() => undefined)) !== undefined);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const next = async (plugin = library('one')) => {
      const supervisor = createSupervisor({ home: desk.home.path, env: desk.home.env, plugins: { one: plugin } });
      const catalogs = createCatalogs({ supervisor, log: silent });
      const known = catalogs.get('one');
      expect(supervisor.status('one').state).toBe('absent');
      catalogs.close();
      await supervisor.close();
      return known?.tools.length;
    };
    expect(await next()).toBe(8);
    expect(await next(library('other'))).toBeUndefined();
    expect(await next(library('one', { tools: { deny: ['echo'] } }))).toBeUndefined();
    expect(await next(library('one', { idleStop: false }))).toBe(8);
    const text = await readFile(path, 'utf8');
    for (const broken of ['', '{', '[]', 'null', text.replace('"tools":[', '"tools":[null,'), text.slice(0, -9)]) {
      await writeFile(path, broken);
      expect(await next()).toBeUndefined();
    }
  });

  it('changes are told once per list that is another one', async () => {
    await using desk = await createDesk({ one: library('one') });
    const told: string[] = [];
    desk.catalogs.onChange((plugin, kind) => told.push(`${plugin} ${kind}`));
    await desk.catalogs.learn('one');
    expect(told.sort()).toEqual(['one prompts', 'one resources', 'one tools']);
    told.length = 0;
    await desk.supervisor.restart('one');
    await desk.supervisor.call('one', { tool: 'grow', arguments: { name: 'new' } });
    await eventually(() => desk.catalogs.get('one')?.tools.length === 9);
    expect(told).toEqual(['one tools']);
    told.length = 0;
    await desk.supervisor.remove('one');
    expect(told.sort()).toEqual(['one prompts', 'one resources', 'one tools']);
    expect(desk.catalogs.get('one')).toBeNull();
  });

  it('leaves out what the plugin itself hides, from the moment on that it does', async () => {
    await using desk = await createDesk({ one: library('one') });
    await desk.catalogs.learn('one');
    await desk.supervisor.configure({ one: library('one', { tools: { allow: ['e*'] } }) });
    const { tools } = await desk.catalogs.learn('one');
    expect(tools.map(({ name }) => name)).toEqual(['echo']);
  });

  it('is learned once for all who ask, and says why it cannot be', async () => {
    await using desk = await createDesk({ one: library('one'), bad: puppet('exit:3', { restart: 'temporary' }) });
    const both = await Promise.all([desk.catalogs.learn('one'), desk.catalogs.learn('one')]);
    expect(both[0]).toBe(both[1]);
    expect((await failureOf(desk.catalogs.learn('bad'))).stderrTail).toContain('last words');
    expect((await failureOf(desk.catalogs.learn('bad', { signal: AbortSignal.abort() }))).code).toBe('CALL_CANCELLED');
  });
});
