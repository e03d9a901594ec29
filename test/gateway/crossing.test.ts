/** Many clients share one plugin: nothing of one reaches another, and all of them outlive what happens to the plugin. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import type { PluginOptions } from '../../src/options.ts';
import { eventually, program } from '../reliability/stage.ts';
import { createGatewayStage, type GatewayStage } from './gateway-stage.ts';
import { legacyHttp, type Message, modernHttp, type RawClient } from './raw-clients.ts';

const waits = (...tools: readonly string[]): PluginOptions =>
  program(['node', 'mcp/waits.mjs', ...tools], { transport: 'stdio' });

type Era = 'legacy' | 'modern';
const connect = (era: Era, url: string): Promise<RawClient> | RawClient =>
  era === 'legacy' ? legacyHttp(url) : modernHttp(url);

describe.each<[Era, Era]>([
  ['legacy', 'legacy'],
  ['legacy', 'modern'],
  ['modern', 'modern'],
])('a %s and a %s client with the same ids', (one, other) => {
  /** Two clients, each with a call on the way under the id 1, both with the same progress token. */
  async function twoCalls() {
    const stage = await createGatewayStage({ waits: waits() });
    const url = `${stage.url}/plugins/waits/mcp`;
    const calls = await Promise.all(
      [one, other].map(async (era, index) => {
        const client = await connect(era, url);
        const word = `word-${index}`;
        const file = join(stage.home.root, word);
        const heard: Message[] = [];
        const gone = new AbortController();
        const params = { name: 'wait', arguments: { word, file }, _meta: { progressToken: 't' } };
        const answer = client.request('tools/call', params, { id: 1, heard, signal: gone.signal });
        answer.catch(() => {});
        const progress = () => heard.filter(({ method }) => method === 'notifications/progress');
        return { era, client, word, heard, answer, progress, gone, finish: () => writeFile(file, '') };
      }),
    );
    const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]];
    await eventually(() => calls.every(({ progress }) => progress().length > 1));
    const dispose = async () => {
      for (const { client } of calls) await client[Symbol.asyncDispose]();
      await stage[Symbol.asyncDispose]();
    };
    return { stage, first, second, calls, [Symbol.asyncDispose]: dispose };
  }

  const forgotten = (stage: GatewayStage) =>
    stage.supervisor.logs('waits').flatMap(({ text }) => (text.startsWith('forget ') ? [text] : []));

  test('get each its own progress and its own answer, in whatever order they come', async () => {
    await using both = await twoCalls();
    const { first, second } = both;
    for (const { finish, answer, word } of [second, first]) {
      await finish();
      expect((await answer).result.content[0].text).toBe(word);
    }
    for (const { progress, heard, word } of [first, second]) {
      expect(heard).toEqual(progress());
      const told = new Set(progress().map(({ params }) => `${params.progressToken} ${params.message}`));
      expect([...told]).toEqual([`t ${word}`]);
    }
  });

  test('cancel only what is their own', async () => {
    await using both = await twoCalls();
    const { stage, first, second } = both;
    if (second.era === 'legacy') await second.client.notify('notifications/cancelled', { requestId: 1 });
    else second.gone.abort();
    await eventually(() => forgotten(stage).length > 0);
    expect(forgotten(stage)).toEqual(['forget word-1']);
    const seen = first.progress().length;
    await eventually(() => first.progress().length > seen);
    await first.finish();
    expect((await first.answer).result.content[0].text).toBe('word-0');
    expect(forgotten(stage)).toEqual(['forget word-1']);
  });

  test('hear each of a crash in the middle, and go on as they were', async () => {
    await using both = await twoCalls();
    const { stage, first, second, calls } = both;
    await first.client.request('tools/call', { name: 'die', arguments: {} });
    for (const { answer, client, word } of calls) {
      const { error } = await answer;
      expect(error).toMatchObject({ code: -32603, data: { plugin: 'waits', fate: 'sent-unknown' } });
      const file = join(stage.home.root, `${word}-again`);
      await writeFile(file, '');
      const params = { name: 'wait', arguments: { word: `${word} again`, file } };
      expect((await client.request('tools/call', params, { id: 1 })).result.content[0].text).toBe(`${word} again`);
    }
    expect(second.progress().every(({ params }) => params.message === 'word-1')).toBe(true);
  });
});

test('an id that another client uses cancels nothing', async () => {
  await using stage = await createGatewayStage({ waits: waits() });
  const url = `${stage.url}/plugins/waits/mcp`;
  await using mine = await legacyHttp(url);
  await using stranger = await legacyHttp(url);
  const file = join(stage.home.root, 'there');
  const heard: Message[] = [];
  const params = { name: 'wait', arguments: { word: 'mine', file }, _meta: { progressToken: 't' } };
  const answer = mine.request('tools/call', params, { id: 'only-mine', heard });
  await eventually(() => heard.length > 0);
  await stranger.notify('notifications/cancelled', { requestId: 'only-mine' });
  // Two rounds later the plugin would have heard of it.
  const seen = heard.length;
  await eventually(() => heard.length > seen + 1);
  await writeFile(file, '');
  expect((await answer).result.content[0].text).toBe('mine');
  expect(stage.supervisor.logs('waits').some(({ text }) => text.startsWith('forget'))).toBe(false);
});

describe.each<Era>(['legacy', 'modern'])(
  'a connected client of the %s era keeps its session and hears list_changed',
  (era) => {
    /** The official client, and the tools that it was told of, list by list. */
    async function connected(plugins: Readonly<Record<string, PluginOptions>>, path: string) {
      const stage = await createGatewayStage(plugins);
      const told: (readonly string[])[] = [];
      const onChanged = (_: unknown, tools: readonly { readonly name: string }[] | null) =>
        void told.push((tools ?? []).map(({ name }) => name));
      const client = new Client(
        { name: 'client', version: '1' },
        {
          listChanged: { tools: { onChanged, debounceMs: 10 } },
          versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
        },
      );
      const transport = new StreamableHTTPClientTransport(new URL(`${stage.url}${path}`));
      await client.connect(transport);
      const session = transport.sessionId;
      const names = async () =>
        (await client.listTools(undefined, { cacheMode: 'refresh' })).tools.map(({ name }) => name);
      const dispose = async () => {
        expect(transport.sessionId).toBe(session);
        await client.close();
        await stage[Symbol.asyncDispose]();
      };
      return { stage, client, told, names, [Symbol.asyncDispose]: dispose };
    }

    test('when a plugin is added and another is taken away', async () => {
      await using all = await connected({ first: waits('a') }, '/mcp');
      const { stage, told, names } = all;
      await eventually(async () => (await names()).includes('first__a'));
      await stage.supervisor.configure({ second: waits('b') });
      await eventually(() => told.length > 0);
      await eventually(async () => {
        const now = await names();
        return now.includes('second__b') && !now.some((name) => name.startsWith('first__'));
      });
    });

    test('when the plugin comes back with other tools', async () => {
      await using one = await connected({ waits: waits('old') }, '/plugins/waits/mcp');
      const { stage, told, names } = one;
      expect(await names()).toContain('old');
      await stage.supervisor.configure({ waits: waits('new', 'newer') });
      await stage.supervisor.start('waits');
      await eventually(() => told.length > 0);
      await eventually(async () => (await names()).includes('newer'));
      expect(await names()).not.toContain('old');
    });

    test('when the plugin crashes', async () => {
      await using one = await connected({ waits: waits('old') }, '/plugins/waits/mcp');
      const { stage, client, told, names } = one;
      expect(await names()).toContain('old');
      await expect(client.callTool({ name: 'die', arguments: {} })).rejects.toThrow();
      await stage.supervisor.start('waits');
      await eventually(() => told.length > 0);
      expect(await names()).toContain('old');
      const file = join(stage.home.root, 'there');
      await writeFile(file, '');
      const { content } = await client.callTool({ name: 'wait', arguments: { word: 'alive', file } });
      expect(content).toEqual([{ type: 'text', text: 'alive' }]);
    });
  },
);
