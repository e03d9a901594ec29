import { describe, expect, it } from 'vitest';
import { findSettings } from '../../launchers/settings.ts';
import { createFileView } from '../support/file-view.ts';
import { json } from './plan-of.ts';

const settings = (files: Record<string, string>, dir = '') => findSettings(createFileView(files), dir);
const names = (files: Record<string, string>, dir = '') => settings(files, dir).map(({ name }) => name);

describe('the settings that a plugin reads', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'JavaScript',
      {
        'src/a.ts':
          'process.env.WEATHER_KEY ?? process.env["UNITS"]; const { REGION, CITY: city = "x" } = process.env;',
      },
      ['CITY', 'REGION', 'UNITS', 'WEATHER_KEY'],
    ],
    [
      'Python',
      {
        'a.py':
          'os.environ["A_KEY"]; os.environ.get("B_KEY", ""); os.getenv(\n  "C_KEY"); click.option("--d", envvar="D_KEY")',
      },
      ['A_KEY', 'B_KEY', 'C_KEY', 'D_KEY'],
    ],
    [
      'an example file',
      { '.env.example': '# comment\nA_KEY=\n#B_KEY=x\nexport C_KEY=y\n' },
      ['A_KEY', 'B_KEY', 'C_KEY'],
    ],
    [
      'a README',
      {
        'README.md':
          '{"mcpServers": {"w": {"command": "npx", "env": {"A_KEY": "x", "B_KEY": "y"}}}}\n docker run -e C_KEY img',
      },
      ['A_KEY', 'B_KEY', 'C_KEY'],
    ],
    [
      'a bundle’s manifest',
      {
        'manifest.json': json({
          manifest_version: '0.3',
          server: { mcp_config: { env: { A_KEY: `$${'{user_config.key}'}` } } },
        }),
      },
      ['A_KEY'],
    ],
    [
      'never a browser extension’s manifest',
      { 'manifest.json': json({ manifest_version: 3, server: { mcp_config: { env: { A_KEY: 'x' } } } }) },
      [],
    ],
    ['never tests', { 'tests/a.ts': 'process.env.TEST_ONLY', 'src/a.test.ts': 'process.env.TEST_TOO' }, []],
    [
      'never what the supervisor decides',
      {
        'a.js':
          'process.env.PORT; process.env.HOST; process.env.MCP_PORT; process.env.NODE_ENV; process.env.HOME; process.env.PATH',
      },
      [],
    ],
  ])('are found in %s', (_, files, expected) => {
    expect(names(files)).toEqual(expected);
  });

  it('are described by server.json and smithery.yaml', () => {
    const files = {
      'server.json': json({
        packages: [
          {
            environmentVariables: [
              { name: 'A_KEY', description: 'the key', isRequired: true, isSecret: true },
              { name: 'UNITS' },
            ],
          },
        ],
      }),
      'smithery.yaml':
        'startCommand:\n  type: stdio\n  configSchema:\n    type: object\n    required: [token]\n    properties:\n      token: {type: string, description: your token}\n  commandFunction: |-\n    config => ({command: "node", env: {B_TOKEN: config.token, MODE_X: config.mode}})\n',
    };
    expect(settings(files)).toEqual([
      { name: 'A_KEY', required: true, secret: true, description: 'the key' },
      { name: 'B_TOKEN', required: true, secret: true, description: 'your token' },
      { name: 'MODE_X', required: false, secret: false },
      { name: 'UNITS', required: false, secret: false },
    ]);
  });

  it('of a member are its own', () => {
    expect(names({ 'a/src/x.ts': 'process.env.A_ONE', 'b/src/x.ts': 'process.env.B_TWO' }, 'a')).toEqual(['A_ONE']);
  });
});
