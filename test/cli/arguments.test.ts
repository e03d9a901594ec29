import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeArguments, readArguments } from '../../src/cli/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    flag: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    ids: { type: 'array', items: { type: 'integer' } },
    options: { type: 'object' },
    format: { enum: ['json', 'xml'] },
    level: { type: 'integer', enum: [1, 2, 3] },
    maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
    maybeText: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    mixed: { type: ['number', 'string'] },
    referred: { $ref: '#/$defs/Count' },
    anything: {},
  },
  $defs: { Count: { type: 'integer' } },
};

const noStdin = async () => {
  throw new Error('stdin was read');
};
const read = async (words: readonly string[], stdin = '') =>
  mergeArguments(await readArguments(words, stdin === '' ? noStdin : async () => stdin), schema);

describe('name=value takes the type of the schema', () => {
  it.each([
    ['text=hello', { text: 'hello' }],
    ['text=5', { text: '5' }],
    ['text=true', { text: 'true' }],
    ['text=', { text: '' }],
    ['text=a=b', { text: 'a=b' }],
    ['text={"a":1}', { text: '{"a":1}' }],
    ['count=5', { count: 5 }],
    ['count=-5', { count: -5 }],
    ['ratio=0.5', { ratio: 0.5 }],
    ['ratio=1e3', { ratio: 1000 }],
    ['ratio=5', { ratio: 5 }],
    ['flag=true', { flag: true }],
    ['flag=false', { flag: false }],
    ['tags=["a","b"]', { tags: ['a', 'b'] }],
    ['tags=a', { tags: ['a'] }],
    ['ids=7', { ids: [7] }],
    ['options={"deep":{"er":1}}', { options: { deep: { er: 1 } } }],
    ['format=xml', { format: 'xml' }],
    ['level=2', { level: 2 }],
    ['maybe=3', { maybe: 3 }],
    ['maybe=null', { maybe: null }],
    ['maybeText=null', { maybeText: 'null' }],
    ['mixed=5', { mixed: '5' }],
    ['referred=5', { referred: 5 }],
    ['anything=5', { anything: '5' }],
    ['unknown=5', { unknown: '5' }],
  ])('%s', async (word, expected) => {
    expect(await read([word])).toEqual(expected);
  });

  it.each([
    ['count=1.5', 'integer'],
    ['count=99999999999999999999', 'integer'],
    ['count=', 'integer'],
    ['ratio=fast', 'number'],
    ['ratio=0x10', 'number'],
    ['ratio=Infinity', 'number'],
    ['flag=yes', 'boolean'],
    ['options=1', 'object'],
    ['ids=x', 'integer'],
    ['level=x', '1|2|3'],
  ])('%s is refused by name, with %s expected', async (word, expected) => {
    const [name, got] = word.split('=');
    await expect(read([word])).rejects.toMatchObject({
      code: 'CALL_BAD_ARGUMENTS',
      message: `Argument '${name}': expected ${expected}, got ${JSON.stringify(got)}.`,
    });
  });

  it('is text everywhere when there is no schema', async () => {
    expect(mergeArguments(await readArguments(['a=1', 'b=true'], noStdin), undefined)).toEqual({ a: '1', b: 'true' });
  });

  it('collects a repeated name into an array where the schema has one, else the last one wins', async () => {
    expect(await read(['tags=a', 'tags=b', 'tags=["c"]', 'text=1', 'text=2'])).toEqual({
      tags: ['a', 'b', 'c'],
      text: '2',
    });
  });
});

describe('name:=json is taken as it is', () => {
  it.each([
    ['text:=5', { text: 5 }],
    ['mixed:=5', { mixed: 5 }],
    ['maybeText:=null', { maybeText: null }],
    ['tags:=["a"]', { tags: ['a'] }],
    ['new:={"a":[1]}', { new: { a: [1] } }],
  ])('%s', async (word, expected) => {
    expect(await read([word])).toEqual(expected);
  });

  it('refuses what is not JSON', async () => {
    await expect(read(['text:=hello'])).rejects.toMatchObject({
      code: 'CALL_NOT_JSON',
      message: expect.stringMatching(/^Argument 'text': expected JSON, got "hello"/),
    });
  });
});

describe('objects', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cli-arguments-'));
    await writeFile(join(folder, 'good.json'), '{"text": "from file", "count": 1}');
    await writeFile(join(folder, 'bad.json'), '{"text": ');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('come as JSON, from a file and from stdin', async () => {
    expect(await read(['{"count": 5}'])).toEqual({ count: 5 });
    expect(await read([`@${folder}/good.json`])).toEqual({ text: 'from file', count: 1 });
    expect(await read(['-'], '{"text": "from stdin"}\n')).toEqual({ text: 'from stdin' });
  });

  it('merge with pairs, later ones win', async () => {
    expect(await read(['count=1', '{"count": 2, "text": "a"}', 'text=b'])).toEqual({ count: 2, text: 'b' });
    expect(await read([`@${folder}/good.json`, 'count=9'])).toEqual({ text: 'from file', count: 9 });
  });

  it('keep a name such as __proto__ as data', async () => {
    const merged = await read(['{"__proto__": {"polluted": true}}', 'constructor=x']);
    expect(Object.keys(merged)).toEqual(['__proto__', 'constructor']);
    expect((merged as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['[1, 2]', 'The arguments: expected a JSON object, got array.'],
    ['hello', "'hello' is not an argument: expected name=value or JSON."],
    ['=5', "'=5' has no name before '='."],
    ['@/no/such/file.json', "The arguments could not be read from '/no/such/file.json': there is no such file."],
  ])('%s is refused', async (word, message) => {
    await expect(read([word])).rejects.toMatchObject({
      code: 'CALL_BAD_ARGUMENTS',
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/./),
    });
  });

  it('name the file or stdin that is wrong', async () => {
    await expect(read([`@${folder}/bad.json`])).rejects.toMatchObject({ message: expect.stringContaining('bad.json') });
    await expect(read(['-'], '"text"')).rejects.toMatchObject({
      message: 'Stdin: expected a JSON object, got string.',
    });
  });
});
