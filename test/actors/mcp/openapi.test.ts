import { afterAll, describe, expect, it } from 'vitest';
import type { ToolDescription } from '../../../actors/context.ts';
import { readDocument } from '../../../actors/mcp/openapi/document.ts';
import { BadArgument, requestOf } from '../../../actors/mcp/openapi/request.ts';
import { toolResult } from '../../../actors/mcp/openapi/result.ts';
import { type Operation, operationsOf } from '../../../actors/mcp/openapi/tools.ts';

type Loose = Record<string, unknown>;

const parse = (root: Loose): readonly Operation[] => {
  const document = readDocument(JSON.stringify({ openapi: '3.1.0', paths: {}, ...root }));
  if (document === null) throw new Error('no document');
  return operationsOf(document);
};
/** The one operation `POST /x`, or another, of a document. */
const one = (operation: Loose, { method = 'post', path = '/x', ...root }: Loose = {}): Operation => {
  const [found] = parse({ paths: { [path as string]: { [method as string]: operation } }, ...root });
  if (found === undefined) throw new Error('no operation');
  return found;
};
const json = (schema: unknown) => ({ content: { 'application/json': { schema } } });
const schemaOf = ({ tool }: Operation) => tool.inputSchema as ToolDescription['inputSchema'] & Loose;
const query = (name: string, more: Loose = {}) => ({ name, in: 'query', schema: {}, ...more });

describe('names of tools', () => {
  it('are the ids of operations, else method and path, in the letters that models take', () => {
    const paths = {
      '/a': { get: { operationId: 'Read it.all' }, post: {} },
      '/a/{id}': { get: { operationId: 'Read it all' } },
      '/long': { get: { operationId: 'x'.repeat(100) }, put: { operationId: 'x'.repeat(100) } },
    };
    const names = parse({ paths }).map(({ tool }) => tool.name);
    expect(names.slice(0, 3)).toEqual(['Read_it_all', 'post_a', 'Read_it_all_2']);
    expect(names[3]).toBe('x'.repeat(64));
    expect(names[4]).toBe(`${'x'.repeat(62)}_2`);
  });
});

describe('arguments', () => {
  it('are the parameters and the properties of a JSON object, with the place behind names that collide', () => {
    const operation = one(
      {
        parameters: [
          { name: 'id', in: 'path', schema: { type: 'integer' } },
          query('id'),
          query('q', { required: true }),
        ],
        requestBody: {
          required: true,
          ...json({ type: 'object', required: ['id'], properties: { id: { type: 'string' }, q: {} } }),
        },
      },
      { path: '/x/{id}' },
    );
    const schema = schemaOf(operation);
    expect(Object.keys(schema.properties as Loose)).toEqual(['id__path', 'id__query', 'q__query', 'id', 'q']);
    expect(schema.required).toEqual(['id__path', 'q__query', 'id']);
    const request = requestOf(operation, { id__path: 7, id__query: 'a b', q__query: '&', id: 'body', more: 1 });
    expect(request).toMatchObject({ method: 'POST', path: '/x/7?id=a%20b&q=%26', body: '{"id":"body","more":1}' });
  });

  it('of an operation win over those of its path, and the login is none of them', () => {
    const [operation] = parse({
      paths: {
        '/x': {
          parameters: [query('a', { description: 'of the path' })],
          get: {
            parameters: [query('a', { description: 'own' }), { name: 'Authorization', in: 'header', schema: {} }],
          },
        },
      },
    });
    expect(schemaOf(operation!).properties).toEqual({ a: { description: 'own' } });
  });

  it.each([
    ['a list', { type: 'array', items: {} }, [1], '[1]'],
    ['one of several', { oneOf: [{ type: 'object' }, { type: 'string' }] }, 'x', '"x"'],
    ['an object without known properties', { type: 'object' }, { a: 1 }, '{"a":1}'],
  ])('that are %s go as the one argument body', (_, schema, body, sent) => {
    const operation = one({ requestBody: json(schema) });
    expect(Object.keys(schemaOf(operation).properties as Loose)).toEqual(['body']);
    expect(requestOf(operation, { body }).body).toBe(sent);
    expect(requestOf(operation, {}).body).toBeUndefined();
  });

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'a=1&b=x&b=y+z'],
    ['JSON of another name', 'application/vnd.api+json', '{"a":1,"b":["x","y z"]}'],
  ])('go as %s where that is wanted', (_, type, sent) => {
    const schema = { type: 'object', properties: { a: {}, b: {} } };
    const operation = one({ requestBody: { content: { [type]: { schema } } } });
    const request = requestOf(operation, { a: 1, b: ['x', 'y z'] });
    expect(request).toMatchObject({ body: sent, headers: { 'content-type': type } });
  });

  it('go as parts of a multipart form, and as bytes', () => {
    const form = one({
      requestBody: { content: { 'multipart/form-data': { schema: { type: 'object', properties: { a: {} } } } } },
    });
    const { body, headers } = requestOf(form, { a: 'text' });
    const boundary = /boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1];
    expect(body).toBe(`--${boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\ntext\r\n--${boundary}--\r\n`);
    const bytes = one({ requestBody: { required: true, content: { 'image/png': {} } } });
    expect(requestOf(bytes, { body: '/wA=' }).body).toEqual(Buffer.of(255, 0));
  });
});

describe('the request', () => {
  const styled = (more: Loose) => one({ parameters: [query('a', more)] }, { method: 'get' });
  it.each([
    ['a list', {}, [1, 'x y'], 'a=1&a=x%20y'],
    ['a list in one', { explode: false }, [1, 2], 'a=1%2C2'],
    ['a list between pipes', { style: 'pipeDelimited', explode: false }, [1, 2], 'a=1%7C2'],
    ['an object', {}, { b: 1, c: [2] }, 'b=1&c=%5B2%5D'],
    ['a deep object', { style: 'deepObject' }, { b: 1, c: ['x', 'y'] }, 'a%5Bb%5D=1&a%5Bc%5D=x&a%5Bc%5D=y'],
    ['an object as JSON', { schema: undefined, ...json({}) }, { b: 1 }, 'a=%7B%22b%22%3A1%7D'],
    ['false', {}, false, 'a=false'],
  ])('writes %s into the query as the document says', (_, more, value, search) => {
    expect(requestOf(styled(more), { a: value }).path).toBe(`/x?${search}`);
  });

  it('leaves out what is null or not given', () => {
    expect(requestOf(styled({}), { a: null }).path).toBe('/x');
    expect(requestOf(styled({}), undefined).path).toBe('/x');
  });

  it.each([
    ['simple', [1, 2], '/x/1,2'],
    ['simple', 'a/b?c#d', '/x/a%2Fb%3Fc%23d'],
    ['label', 'a', '/x/.a'],
    ['matrix', 'a', '/x/;id=a'],
  ])('writes into the path, style %s, %j', (style, value, path) => {
    const operation = one({ parameters: [{ name: 'id', in: 'path', style }] }, { path: '/x/{id}' });
    expect(requestOf(operation, { id: value }).path).toBe(path);
  });

  it.each([['..'], ['.'], ['']])('refuses %j as a part of the path: it would be another path', (id) => {
    const operation = one({ parameters: [{ name: 'id', in: 'path' }] }, { path: '/x/{id}' });
    expect(() => requestOf(operation, { id })).toThrow(BadArgument);
  });

  it('refuses what no header can hold, a path parameter that is missing or unknown, and arguments that are none', () => {
    const header = one({ parameters: [{ name: 'X-A', in: 'header' }] });
    expect(requestOf(header, { 'X-A': [1, 2] }).headers).toMatchObject({ 'x-a': '1,2' });
    expect(() => requestOf(header, { 'X-A': 'a\r\nb: c' })).toThrow(BadArgument);
    expect(() => requestOf(one({}, { path: '/x/{id}' }), {})).toThrow('does not describe');
    expect(() => requestOf(header, [1])).toThrow(BadArgument);
  });

  it('goes to the path of the document’s server on the plugin’s own host', () => {
    const servers = [
      {
        url: 'https://{region}.example/{base}/v1/',
        variables: { region: { default: 'eu' }, base: { default: 'api' } },
      },
    ];
    expect(requestOf(one({}, { servers }), {}).path).toBe('/api/v1/x');
    expect(requestOf(one({ servers: [{ url: '/own' }] }, { servers }), {}).path).toBe('/own/x');
  });

  it('sends cookies', () => {
    const operation = one({ parameters: [{ name: 'sid', in: 'cookie' }] });
    expect(requestOf(operation, { sid: 'a;b' }).headers.cookie).toBe('sid=a%3Bb');
  });
});

describe('schemas', () => {
  const Tree = {
    type: 'object',
    properties: { below: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
  };
  it('keep their references, whatever circle they go in', () => {
    const operation = one(
      { requestBody: json({ $ref: '#/components/schemas/Tree' }) },
      { components: { schemas: { Tree, Unused: {} } } },
    );
    expect(schemaOf(operation)).toEqual({
      type: 'object',
      properties: { below: { type: 'array', items: { $ref: '#/$defs/Tree' } } },
      $defs: { Tree: { ...Tree, properties: { below: { type: 'array', items: { $ref: '#/$defs/Tree' } } } } },
    });
  });

  it('of 3.0 are rewritten as 2020-12', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'string', nullable: true, enum: ['x'] },
        b: { $ref: '#/components/schemas/B', nullable: true },
        c: { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false, example: 2 },
        example: { type: 'string', default: { $ref: 'data' } },
      },
    };
    const operation = one({ requestBody: json(schema) }, { openapi: '3.0.3', components: { schemas: { B: {} } } });
    expect(schemaOf(operation).properties).toEqual({
      a: { type: ['string', 'null'], enum: ['x', null] },
      b: { anyOf: [{ $ref: '#/$defs/B' }, { type: 'null' }] },
      c: { type: 'number', exclusiveMinimum: 1, maximum: 9, examples: [2] },
      example: { type: 'string', default: { $ref: 'data' } },
    });
  });

  it('of answers are those of the one good one, a value that is no object in result', () => {
    const output = (responses: Loose) => one({ responses }).tool.outputSchema;
    expect(output({ 200: json({ type: 'object', properties: { a: {} } }), 404: json({}) })).toEqual({
      type: 'object',
      properties: { a: {} },
    });
    expect(output({ 200: json({ type: 'array', items: {} }) })).toEqual({
      type: 'object',
      properties: { result: { type: 'array', items: {} } },
      required: ['result'],
    });
    for (const open of [
      {},
      { 200: json({}) },
      { 200: json({ anyOf: [{}] }) },
      { 200: json({ type: 'array' }), 204: {} },
    ]) {
      expect(output(open)).toBeUndefined();
    }
  });
});

it('says what a method may do', () => {
  const of = (method: string) => one({}, { method }).tool.annotations;
  expect(of('get')).toEqual({ readOnlyHint: true });
  expect(of('delete')).toEqual({ readOnlyHint: false, destructiveHint: true, idempotentHint: true });
  expect(of('put')).toEqual({ readOnlyHint: false, idempotentHint: true });
  expect(of('post')).toEqual({ readOnlyHint: false });
});

describe('answers', () => {
  const answer = (status: number, contentType: string, body: string | Buffer = '') =>
    toolResult({ status, contentType, body: Buffer.from(body), url: 'http://p/x' });
  it.each([
    [
      'an object',
      answer(200, 'application/json', '{"a":1}'),
      { structuredContent: { a: 1 }, content: [{ type: 'text', text: '{"a":1}' }] },
    ],
    ['a list', answer(200, 'application/hal+json; charset=utf-8', '[1]'), { structuredContent: { result: [1] } }],
    ['nothing', answer(204, ''), { content: [{ type: 'text', text: 'HTTP 204' }] }],
    ['text', answer(200, 'text/html', '<p>'), { content: [{ type: 'text', text: '<p>' }] }],
    ['JSON that is none', answer(200, 'application/json', '<p>'), { content: [{ type: 'text', text: '<p>' }] }],
    [
      'a picture',
      answer(200, 'image/png; x=y', Buffer.of(255)),
      { content: [{ type: 'image', data: '/w==', mimeType: 'image/png' }] },
    ],
    [
      'bytes',
      answer(200, 'application/pdf', 'x'),
      { content: [{ type: 'resource', resource: { uri: 'http://p/x', mimeType: 'application/pdf', blob: 'eA==' } }] },
    ],
    [
      'an error',
      answer(404, 'application/json', '{"detail":"no"}'),
      { isError: true, content: [{ type: 'text', text: 'HTTP 404: {"detail":"no"}' }] },
    ],
    ['a redirect', answer(302, ''), { isError: true }],
  ])('that are %s are results of tools', (_, result, expected) => {
    expect(result).toMatchObject(expected);
    expect(result.structuredContent === undefined).toBe(!('structuredContent' in expected));
  });
});

describe('odd documents', () => {
  const before = globalThis.fetch;
  globalThis.fetch = () => Promise.reject(new Error('nothing is fetched'));
  afterAll(() => {
    globalThis.fetch = before;
  });

  it.each(['', 'x', '[]', '{}', '{"swagger":"2.0","paths":{}}', '{"openapi":3,"paths":{}}', '{"openapi":"3.1.0"}'])(
    '%j is none',
    (text) => {
      expect(readDocument(text)).toBeNull();
    },
  );

  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const odd: readonly (readonly [string, Loose])[] = [
    [
      'paths of every wrong type',
      { paths: { '/a': null, '/b': [], '/c': 'x', '/d': { get: 3, post: [] }, e: { get: {} } } },
    ],
    [
      'references in a circle',
      {
        components: { schemas: { A: ref('B'), B: ref('A') } },
        paths: { '/a': { post: { requestBody: json(ref('A')), parameters: [ref('A'), { $ref: '#/paths' }] } } },
      },
    ],
    ['a path that is itself', { paths: { '/a': { $ref: '#/paths/~1a' } } }],
    [
      'references to elsewhere',
      {
        paths: {
          '/a': {
            post: {
              requestBody: json({
                type: 'object',
                properties: { a: { $ref: 'http://evil.example/x.json' }, b: { $ref: 'file:///etc/passwd' } },
              }),
            },
          },
        },
      },
    ],
    [
      'references to nowhere',
      {
        paths: {
          '/a': { post: { requestBody: { $ref: '#/components/requestBodies/No' }, parameters: [{ $ref: '#/nope' }] } },
        },
      },
    ],
    [
      'references to prototypes',
      { paths: { '/a': { post: { requestBody: json({ $ref: '#/constructor/prototype' }) } } } },
    ],
    [
      'names of prototypes',
      {
        paths: {
          '/a': {
            post: {
              operationId: '__proto__',
              parameters: [query('__proto__'), query('constructor')],
              requestBody: json({
                type: 'object',
                required: 5,
                properties: JSON.parse('{"__proto__":{"type":"string"},"toString":{}}'),
              }),
            },
          },
        },
      },
    ],
    [
      'parameters of every wrong type',
      {
        paths: {
          '/a': {
            get: { parameters: 'x' },
            post: {
              parameters: [
                1,
                null,
                {},
                { name: 1, in: 'query' },
                { name: 'a', in: 'body' },
                { name: 'b', in: 'query', content: 7, style: 4, explode: 'x' },
              ],
            },
          },
        },
      },
    ],
    [
      'bodies of every wrong type',
      {
        paths: {
          '/a': {
            post: { requestBody: { content: { 'application/json': 5 } } },
            put: { requestBody: { content: {} } },
            patch: { requestBody: { content: { '*/*': null } } },
          },
        },
      },
    ],
    [
      'answers of every wrong type',
      {
        paths: {
          '/a': {
            get: { responses: { 200: null } },
            post: { responses: { 200: { content: { 'application/json': { schema: true } } } } },
            put: { responses: 'x' },
          },
        },
      },
    ],
    [
      'servers of every wrong type',
      { servers: 5, paths: { '/a': { servers: [{ url: 'http://[' }], get: { servers: [null] } } } },
    ],
  ];
  it.each(odd)('with %s give tools that a client can read, or none', (_, root) => {
    for (const operation of parse(root)) {
      expect(operation.tool.name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      expect(schemaOf(operation).type).toBe('object');
      expect(JSON.stringify(operation.tool)).not.toMatch(/evil|passwd|components/);
      try {
        requestOf(operation, { a: 1, b: [{}], body: null, __proto__x: {} });
      } catch (error) {
        expect(error).toBeInstanceOf(BadArgument);
      }
    }
    expect(({} as Loose).type).toBeUndefined();
  });

  it('that nest deeply, or refer to very much, are cut and not followed for ever', () => {
    let deep: Loose = { type: 'string' };
    for (let level = 0; level < 2000; level++) deep = { type: 'array', items: deep };
    expect(JSON.stringify(schemaOf(one({ requestBody: json(deep) }))).length).toBeLessThan(10_000);
    const schemas = Object.fromEntries(
      Array.from({ length: 500 }, (_, at) => [
        `S${at}`,
        { type: 'object', properties: { next: ref(`S${at + 1}`), first: ref('S0') } },
      ]),
    );
    const { $defs } = schemaOf(
      one({ requestBody: json({ type: 'array', items: ref('S0') }) }, { components: { schemas } }),
    );
    const open = Object.values($defs as Loose).filter((each) => each === true);
    expect(Object.keys($defs as Loose)).toHaveLength(101);
    expect(open).toHaveLength(1);
  });
});
