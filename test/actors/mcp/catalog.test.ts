import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCatalog } from '../../../actors/mcp/catalog.ts';
import { CLIENT_INFO } from '../../../actors/mcp/meta.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { createHarness, type Harness } from '../process-harness.ts';
import { openStdio } from './stdio-session.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

describe('the catalog', () => {
  it('has all pages, and is fresh before listeners hear that it changed', async () => {
    const { session } = await openStdio(harness, 'changes');
    expect(session.tools.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
    const seen = new Promise<readonly string[]>((resolve) =>
      session.onMessage(() => resolve(session.tools.map(({ name }) => name))),
    );
    await session.request('tools/call', { name: 'one' });
    expect(await seen).toEqual(['one', 'two', 'three', 'tool-3']);
  });

  it('shares one more fetch among changes that come while it fetches', async () => {
    let fetches = 0;
    const catalog = createCatalog(async () => ({ tools: [{ name: `${++fetches}` }] }));
    await Promise.all([catalog.refresh(), catalog.refresh(), catalog.refresh()]);
    expect(catalog.tools()).toEqual([{ name: '2' }]);
  });

  it('ends with a server that hands out one cursor for ever, and leaves out what is no tool', async () => {
    const catalog = createCatalog(async () => ({ tools: [{ name: 'a' }, null, {}], nextCursor: 'again' }));
    await catalog.refresh();
    expect(catalog.tools()).toEqual([{ name: 'a' }, { name: 'a' }]);
  });
});

it('tells servers our name and version as in package.json', () => {
  expect(CLIENT_INFO).toEqual({ name: manifest.name, version: manifest.version });
});
