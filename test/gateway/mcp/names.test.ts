import { check, constantFrom, property, record, string, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregatedName, createNameTable, readings } from '../../../src/gateway/mcp/names.ts';
import { ownedUri, readOwnedUri, templateMatches } from '../../../src/gateway/mcp/uris.ts';

describe('names for all plugins together', () => {
  it('are plugin__tool where that is short and plain', () => {
    expect(aggregatedName('time', 'get_current-time', 44)).toBe('time__get_current-time');
  });

  it('are the same on every machine when they must be shortened', () => {
    expect(aggregatedName('github', 'create_pull_request_review_comment_thread', 44)).toBe(
      'github__create_pull_request_review_c_zmpt3jg',
    );
    expect(aggregatedName('a.b', 'tool', 44)).toMatch(/^a_b__tool_[0-9a-z]{7}$/);
    expect(aggregatedName('a.b', 'tool', 44)).not.toBe(aggregatedName('a_b', 'tool', 44));
    const long = aggregatedName('p'.repeat(60), 't'.repeat(60), 44);
    expect(long).toMatch(/^p{12}__t{22}_[0-9a-z]{7}$/);
  });

  it('tell apart what would be one name', () => {
    const owned = [
      { plugin: 'a', name: 'b__c' },
      { plugin: 'a__b', name: 'c' },
    ];
    const table = createNameTable(owned, 44);
    expect(table.nameOf('a', 'b__c')).toBe('a__b__c');
    expect(table.nameOf('a__b', 'c')).toMatch(/^a__b__c_[0-9a-z]{7}$/);
    for (const { plugin, name } of owned) expect(table.find(table.nameOf(plugin, name))).toEqual({ plugin, name });
    expect(readings('a__b__c', ['a', 'a__b'])).toEqual([
      { plugin: 'a__b', name: 'c' },
      { plugin: 'a', name: 'b__c' },
    ]);
  });

  it('are short, plain, different and reversible, whatever plugins call their tools', () => {
    const plugin = constantFrom('a', 'a__b', 'a.b', 'A', 'some-plugin-with-a-rather-long-name', 'x'.repeat(100));
    const owned = uniqueArray(record({ plugin, name: string({ minLength: 1, maxLength: 80 }) }), {
      selector: ({ plugin: of, name }) => `${of}\0${name}`,
    });
    const outcome = check(
      property(owned, constantFrom(24, 44, 64), (all, max) => {
        const table = createNameTable(all, max);
        const names = all.map(({ plugin: of, name }) => table.nameOf(of, name));
        expect(new Set(names).size).toBe(all.length);
        for (const [at, name] of names.entries()) {
          expect(name.length).toBeLessThanOrEqual(max);
          expect(name).toMatch(/^[A-Za-z0-9_-]+$/);
          expect(table.find(name)).toEqual(all[at]);
        }
      }),
    );
    expect(outcome.failed, JSON.stringify(outcome.counterexample)).toBe(false);
  });
});

describe('URIs for all plugins together', () => {
  it('can be written as one plugin’s own, and read back', () => {
    const uri = 'file:///a b/{id}?x=1#y';
    expect(readOwnedUri(ownedUri('a_b.c', uri))).toEqual({ plugin: 'a_b.c', uri });
    expect(readOwnedUri(uri)).toBeNull();
    expect(URL.canParse(ownedUri('a_b.c', 'test://x/y'))).toBe(true);
  });

  it.each([
    ['test://item/{id}/data', 'test://item/7/data', true],
    ['test://item/{id}/data', 'test://item/7/8/data', false],
    ['file:///{+path}', 'file:///a/b/c.txt', true],
    ['file:///{path}', 'file:///a/b/c.txt', false],
    ['repo://{owner}/{repo}/contents{/path*}', 'repo://o/r/contents/src/a.ts', true],
    ['db://query{?sql,limit}', 'db://query?sql=select', true],
    ['db://query{?sql,limit}', 'db://query', true],
    ['db://query{?sql}', 'db://other?sql=select', false],
    ['odd://(a|b)/{x}', 'odd://a/1', false],
  ])('%s and %s: %s', (template, uri, fits) => {
    expect(templateMatches(template, uri)).toBe(fits);
  });

  it('are done with a URI of any length', () => {
    expect(templateMatches('x://{+path}/of/{+rest}/end', `x://${'/of/'.repeat(1e6)}`)).toBe(false);
  });
});
