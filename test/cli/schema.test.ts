import { expect, it } from 'vitest';
import { signature } from '../../src/cli/schema.ts';

const tool = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  name: 't',
  inputSchema: { type: 'object', properties, ...more },
});

it.each([
  [tool({ message: { type: 'string' } }, { required: ['message'] }), 't message:string'],
  [tool({ b: { type: 'number' }, a: { type: 'integer' } }, { required: ['a'] }), 't a:integer [b:number]'],
  [tool({ limit: { type: 'integer', default: 10 } }), 't [limit:integer=10]'],
  [tool({ list: { type: 'array', items: { type: 'string' } } }), 't [list:string[]]'],
  [tool({ list: { type: 'array', items: { enum: ['a', 'b'] } } }), 't [list:(a|b)[]]'],
  [tool({ list: { type: 'array' } }), 't [list:array]'],
  [tool({ kind: { enum: ['a', 'b'] } }), 't [kind:a|b]'],
  [tool({ kind: { enum: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] } }), 't [kind:a|b|c|d|e|f|…]'],
  [tool({ maybe: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null } }), 't [maybe:string]'],
  [tool({ either: { oneOf: [{ type: 'string' }, { type: 'integer' }] } }), 't [either:string|integer]'],
  [tool({ referred: { $ref: '#/$defs/X' } }, { $defs: { X: { type: 'boolean' } } }), 't [referred:boolean]'],
  [tool({ lost: { $ref: '#/$defs/Y' } }), 't [lost:any]'],
  [tool({ any: true }), 't [any:any]'],
  [{ name: 't' }, 't'],
  [{ name: 't', inputSchema: { type: 'object' } }, 't'],
])('%j is shown as %s', (given, expected) => {
  expect(signature(given)).toBe(expected);
});

it('ends on a schema that contains itself', () => {
  const node = { type: 'array', items: { $ref: '#/$defs/Node' } };
  const both = { anyOf: [{ $ref: '#/$defs/Both' }, { type: 'string' }] };
  const given = tool(
    { node: { $ref: '#/$defs/Node' }, both, self: { $ref: '#/$defs/Self' } },
    {
      $defs: { Node: node, Both: both, Self: { $ref: '#/$defs/Self' } },
    },
  );
  expect(signature(given)).toMatch(/^t \[node:array(\[\])+\] \[both:string\] \[self:any\]$/);
});
