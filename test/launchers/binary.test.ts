import { describe, expect, it } from 'vitest';
import { createBinaryLauncher } from '../../launchers/binary.ts';
import { json, planOf, refusalOf, SDK, starts } from './plan-of.ts';

const SERVER = `#!/usr/bin/env bash
while IFS= read -r line; do
  method=$(jq -r .method <<<"$line")
  case "$method" in
    "initialize") reply "$INFO" ;;
    "tools/list") reply "$(cat "\${ACME_TOOLS:-tools.json}")" ;;
  esac
done
`;
const REQUEST = '#!/bin/bash\nread -r x\necho \'{"jsonrpc":"2.0","id":2,"method":"tools/list"}\' | ./server\n';

describe('a shell script that serves', () => {
  it('is run by its shell, with the program that it can not do without', () => {
    const plan = planOf({ 'acme.sh': SERVER, 'README.md': '', 'tools.json': '{}' });
    expect(starts(plan)).toEqual(['bash acme.sh']);
    expect(plan).toMatchObject({ confidence: 'medium', runtime: 'shell', tools: [{ name: 'jq', version: null }] });
    expect(plan.wants.map(({ name }) => name)).toEqual(['ACME_TOOLS']);
  });

  it('is the one that reads in the others, and no test', () => {
    const files = {
      'core.sh': SERVER,
      'movies.sh': '#!/bin/bash\nsource "$(dirname "$0")/core.sh"\nserve\n',
      'test_core.sh': '#!/bin/bash\n. ./core.sh\ncheck\n',
    };
    expect(starts(planOf(files))).toEqual(['bash movies.sh']);
    expect(planOf(files).tools).toEqual([{ name: 'jq', version: null }]);
  });

  it('is not one that only asks a server', () => {
    expect(refusalOf({ 'try.sh': REQUEST, 'curl.sh': `${REQUEST}[ "$1" = x ]` }).code).toBe('DETECT_NOT_A_SERVER');
    const files = {
      'package.json': json({ name: 'x', bin: 'x.js', dependencies: SDK }),
      'x.js': '',
      'try.sh': REQUEST,
    };
    expect(starts(planOf(files))).toEqual(['node x.js']);
  });

  it('is explained by the program that it lacks', () => {
    const cause = createBinaryLauncher().explain('./server: line 3: jq: command not found', {
      code: 127,
      signal: null,
    });
    expect(cause).toMatchObject({ kind: 'missing-program', hint: 'Install jq.' });
  });
});

describe('a compiled program', () => {
  it('is never taken without being named', () => {
    expect(refusalOf({ server: '\u007fELF', 'README.md': 'An MCP server' }).code).toBe('DETECT_NOT_A_SERVER');
  });
});
