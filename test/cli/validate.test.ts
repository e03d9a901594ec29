import { describe, expect, it } from 'vitest';
import { findProblems, showProblem } from '../../src/cli/validate.ts';

const schema = {
  type: 'object',
  properties: {
    message: { type: 'string', minLength: 2 },
    times: { type: 'integer', minimum: 1 },
    format: { enum: ['json', 'xml'] },
    paths: { type: 'array', items: { type: 'string' } },
    id: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    options: { $ref: '#/$defs/Options' },
    when: { type: 'string', format: 'date-time' },
  },
  required: ['message'],
  additionalProperties: false,
  $defs: { Options: { type: 'object', properties: { depth: { type: 'integer' } }, required: ['depth'] } },
};

const problems = async (given: Record<string, unknown>) => (await findProblems(schema, given)).map(showProblem);

it('takes an unknown name for the missing argument when the schema allows any name', async () => {
  const { additionalProperties: _, ...open } = schema;
  expect((await findProblems(open, { mesage: 'hello' })).map(showProblem)).toEqual([
    'message: expected string, got nothing',
    'mesage: expected one of message, times, format, paths, id, options, when, got an unknown name (did you mean message?)',
  ]);
  expect(await findProblems(open, { message: 'hello', more: 1 })).toEqual([]);
});

describe('each problem names the argument, what was expected and what came', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ message: 'hello', times: 2, format: 'xml', paths: ['a'], id: null, options: { depth: 1 } }, []],
    [{}, ['message: expected string, got nothing']],
    [{ message: 5 }, ['message: expected string, got number 5']],
    [{ message: 'x' }, ['message: expected minLength 2, got string "x"']],
    [{ message: 'hello', times: 0 }, ['times: expected minimum 1, got number 0']],
    [{ message: 'hello', times: 1.5 }, ['times: expected integer, got number 1.5']],
    [{ message: 'hello', format: 'yml' }, ['format: expected one of "json", "xml", got string "yml"']],
    [{ message: 'hello', paths: ['a', 1] }, ['paths[1]: expected string, got number 1']],
    [{ message: 'hello', id: 'x' }, ['id: expected integer, got string "x"']],
    [{ message: 'hello', options: {} }, ['options.depth: expected a value, got nothing']],
    [{ message: 'hello', options: { depth: 'x' } }, ['options.depth: expected integer, got string "x"']],
    [
      { message: 'hello', formt: 'xml' },
      [
        'formt: expected one of message, times, format, paths, id, options, when, got an unknown name (did you mean format?)',
      ],
    ],
    [{ message: 'hello', when: 'tomorrow' }, []],
  ])('%j', async (given, expected) => {
    expect(await problems(given)).toEqual(expected);
  });

  it('lists all of them, each argument once', async () => {
    expect((await findProblems(schema, { times: 'x', paths: 'y' })).map(({ argument }) => argument)).toEqual([
      'message',
      'times',
      'paths',
    ]);
  });
});

describe('what the schema does not say is left to the server', () => {
  it.each<[string, Record<string, unknown> | undefined]>([
    ['no schema', undefined],
    ['an empty schema', {}],
    ['further properties where they are not forbidden', { type: 'object', properties: {} }],
    ['a reference that can not be followed', { $ref: 'https://example.com/schema.json' }],
    ['a pattern that this engine does not know', { properties: { a: { type: 'string', pattern: '(?i)x' } } }],
  ])('%s', async (_, inputSchema) => {
    expect(await findProblems(inputSchema, { a: 'b' })).toEqual([]);
  });
});

it('reads draft-07 as draft-07', async () => {
  const tuple = { type: 'array', items: [{ type: 'string' }, { type: 'integer' }] };
  const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', properties: { pair: tuple } };
  expect((await findProblems(draft7, { pair: ['a', 'b'] })).map(showProblem)).toEqual([
    'pair[1]: expected integer, got string "b"',
  ]);
});

it('leaves the schema as the server sent it', async () => {
  const before = JSON.stringify(schema);
  const keys = Reflect.ownKeys(schema);
  await findProblems(schema, { message: 'hello' });
  expect(JSON.stringify(schema)).toBe(before);
  expect(Reflect.ownKeys(schema)).toEqual(keys);
});
