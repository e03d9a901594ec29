import { describe, expect, it } from 'vitest';
import * as launchers from '../launchers/index.ts';
import * as machines from '../machines/index.ts';
import * as gateway from '../src/gateway/index.ts';
import * as root from '../src/index.ts';
import * as testing from '../src/testing/index.ts';

/** Adding a name to a public entry is an API decision: it has to be made here as well. */
describe('the public names', () => {
  it.each([
    ['mcp-supervisor', root],
    ['mcp-supervisor/machines', machines],
    ['mcp-supervisor/launchers', launchers],
    ['mcp-supervisor/gateway', gateway],
    ['mcp-supervisor/testing', testing],
  ])('of %s', (_entry, names) => {
    expect(Object.keys(names).sort()).toMatchSnapshot();
  });
});
