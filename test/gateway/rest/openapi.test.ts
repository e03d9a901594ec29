import { describe, expect, it } from 'vitest';
import { moveSchema } from '../../../src/gateway/rest/move-schema.ts';
import { pluginOpenapi } from '../../../src/gateway/rest/plugin-openapi.ts';
import { puppet } from '../../reliability/stage.ts';
import { createGatewayStage } from '../gateway-stage.ts';

type Json = Record<string, unknown>;

/** Every `$ref` of a document, followed from its root. */
function refsOf(document: unknown): readonly [string, unknown][] {
  const found: [string, unknown][] = [];
  const follow = (ref: string) =>
    ref
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], document);
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, part] of Object.entries(value)) {
      if (key === '$ref' && typeof part === 'string') found.push([part, part === '#' ? document : follow(part)]);
      else walk(part);
    }
  };
  walk(document);
  return found;
}

const tree = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'https://example.org/tree',
  type: 'object',
  required: ['root'],
  properties: {
    root: { $ref: '#/$defs/Node' },
    whole: { $ref: '#' },
    $ref: { type: 'string' },
    data: { const: { $ref: '#/$defs/Node' }, default: { $ref: '#/nothing' } },
  },
  $defs: { Node: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/Node' } } } } },
};

describe('the document of a plugin', () => {
  it('has one POST per tool, with the schemas that the tool gave', () => {
    const tools = [
      { name: 'grow', title: 'Grow', description: 'Grows.', inputSchema: tree, outputSchema: { type: 'object' } },
      { name: 'a/b c', inputSchema: { type: 'object' } },
      { name: 'a_b_c', inputSchema: { type: 'object', properties: { x: {} } } },
      { name: 'bare' },
    ];
    const server = { serverInfo: { name: 'x', title: 'Trees', version: '2.0' }, instructions: 'Water them.' };
    const document = pluginOpenapi('my.plugin', { server, tools });
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Trees', version: '2.0', description: 'Water them.' },
      servers: [{ url: '../my.plugin' }],
    });
    const paths = document.paths as Record<string, { post: Json }>;
    expect(Object.keys(paths)).toEqual(['/tools/grow', '/tools/a%2Fb%20c', '/tools/a_b_c', '/tools/bare']);
    expect(Object.values(paths).map(({ post }) => post.operationId)).toEqual(['grow', 'a/b c', 'a_b_c', 'bare']);
    expect(paths['/tools/grow']?.post).toMatchObject({
      summary: 'Grow',
      description: 'Grows.',
      requestBody: { required: true },
    });
    expect(paths['/tools/bare']?.post).toMatchObject({ summary: 'bare', requestBody: { required: false } });
    const schemas = (document.components as { schemas: Json }).schemas;
    expect(Object.keys(schemas)).toEqual([
      'Error',
      'grow.input',
      'grow.output',
      'a_b_c.input',
      'a_b_c_2.input',
      'bare.input',
    ]);
    expect(schemas['a_b_c_2.input']).toEqual({ type: 'object', properties: { x: {} } });
    for (const name of Object.keys(schemas)) expect(name).toMatch(/^[\w.-]+$/);
    const data = { const: { $ref: '#/$defs/Node' }, default: { $ref: '#/nothing' } };
    expect(schemas['grow.input']).toMatchObject({ properties: { data, $ref: { type: 'string' } } });
    expect(schemas['grow.input']).not.toHaveProperty('$schema');
    const refs = refsOf({
      ...document,
      components: {
        schemas: {
          ...schemas,
          'grow.input': {
            ...(schemas['grow.input'] as Json),
            properties: { ...((schemas['grow.input'] as Json).properties as Json), data: {} },
          },
        },
      },
    });
    expect(refs.length).toBeGreaterThan(5);
    expect(refs.filter(([, target]) => target === undefined)).toEqual([]);
    expect(refs.map(([ref]) => ref)).toContain('#/components/schemas/grow.input/$defs/Node');
  });

  it('leaves the schemas of the tools as they are', () => {
    const before = structuredClone(tree);
    moveSchema(tree, '#/components/schemas/x');
    expect(tree).toEqual(before);
    const named = {
      properties: { a: { $id: 'https://other.example', $ref: '#/x' }, b: { $ref: 'https://elsewhere#/y' } },
    };
    expect(moveSchema(named, '#/p')).toEqual(named);
  });

  it('is served, and its paths and server lead to the tools', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const response = await stage.get('/plugins/p/openapi.json');
    const document = (await response.json()) as { servers: { url: string }[]; paths: Json; info: Json };
    expect(document.info).toEqual({ title: 'p', version: '1.0.0' });
    const base = new URL(document.servers[0]?.url ?? '', response.url).href;
    expect(base).toBe(`${stage.url}/plugins/p`);
    expect(document.paths).toHaveProperty(['/tools/echo', 'post']);
    const called = await fetch(`${base}/tools/echo`, { method: 'POST', body: '{"message":"hello"}' });
    expect(await called.text()).toBe('hello');
  });
});

describe('the document of the gateway', () => {
  it('names addresses that there are, and every schema that it refers to', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    const document = (await (await stage.get('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Json>;
    };
    expect(document.openapi).toBe('3.1.0');
    const refs = refsOf(document);
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter(([, target]) => target === undefined)).toEqual([]);
    await stage.supervisor.start('p');
    const ids = new Set<unknown>();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { operationId, parameters = [] } = operation as {
          operationId: string;
          parameters?: { in: string; name: string }[];
        };
        expect(ids.has(operationId)).toBe(false);
        ids.add(operationId);
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(named);
        const address = path.replace('{name}', 'p').replace('{tool}', 'pid');
        const response = await stage.get(address, {
          method: method.toUpperCase(),
          body: method === 'post' ? '{"tool":"pid"}' : null,
        });
        expect([address, response.status]).toEqual([address, 200]);
        await response.body?.cancel();
      }
    }
  });
});
