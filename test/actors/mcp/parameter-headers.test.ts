import { describe, expect, it } from 'vitest';
import { headerProblem } from '../../../actors/mcp/parameter-headers.ts';

const marked = (type: string, name: unknown = 'Region') => ({ type, 'x-mcp-header': name });
const schema = (properties: unknown, more: object = {}) => ({ type: 'object', properties, ...more });

describe('a tool whose arguments go into headers, too', () => {
  it.each([
    ['has none of them', schema({ a: { type: 'number' } })],
    ['has them on primitives', schema({ a: marked('string'), b: marked('integer', 'B'), c: marked('boolean', "C!'") })],
    ['has them below other objects', schema({ a: schema({ b: marked('string') }) })],
    ['calls an argument so', schema({ 'x-mcp-header': { type: 'string' } })],
    ['has the word in a value', schema({ a: { type: 'object', default: { 'x-mcp-header': 1 }, enum: [marked('x')] } })],
    ['has no schema worth the name', 'nonsense'],
  ])('is well when it %s', (_, given) => {
    expect(headerProblem(given)).toBeNull();
  });

  it.each([
    ['an empty name', schema({ a: marked('string', '') }), 'no name'],
    ['a name that is none', schema({ a: marked('string', 'a b') }), 'no name'],
    ['a name with a line break', schema({ a: marked('string', 'a\nb') }), 'no name'],
    ['no text for a name', schema({ a: marked('string', 5) }), 'no name'],
    ['a number', schema({ a: marked('number') }), 'no string'],
    ['an object', schema({ a: marked('object') }), 'no string'],
    ['one name twice', schema({ a: marked('string'), b: marked('string', 'REGION') }), 'twice'],
    ['one on the root', marked('string'), 'reached'],
    ['one in a list', schema({ a: { type: 'array', items: marked('string') } }), 'reached'],
    ['one in an alternative', schema({ a: { anyOf: [marked('string')] } }), 'reached'],
    ['one in a definition', schema({}, { $defs: { a: marked('string') } }), 'reached'],
  ])('is left out for %s', (_, given, why) => {
    expect(headerProblem(given)).toContain(why);
  });
});
