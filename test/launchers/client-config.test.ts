import { expect, it } from 'vitest';
import { json, planOf, SDK, starts } from './plan-of.ts';

const PACKAGE = {
  'package.json': json({ name: '@acme/weather-mcp', bin: { 'weather-mcp': 'cli.js' }, dependencies: SDK }),
  'cli.js': '',
};
const clients = (file: string, mcpServers: object) => ({ ...PACKAGE, [file]: json({ mcpServers }) });

it.each(['.mcp.json', 'mcp.json', '.cursor/mcp.json', 'gemini-extension.json'])(
  '%s names variables of the program that lies here, and starts nothing (trap 31)',
  (file) => {
    const own = { command: 'npx', args: ['-y', '@acme/weather-mcp@latest'], env: { WEATHER_KEY: 'a-real-value' } };
    const plan = planOf(clients(file, { own }));
    expect(plan.wants).toEqual([{ name: 'WEATHER_KEY', required: false, secret: true }]);
    expect(starts(plan)).toEqual(['node cli.js']);
    expect(JSON.stringify(plan)).not.toContain('a-real-value');
  },
);

it('a server of others, which the maintainers use, says nothing of this one (trap 31)', () => {
  const foreign = { command: 'npx', args: ['-y', 'docs-server'], env: { GITHUB_TOKEN: 'x' } };
  const plan = planOf(clients('.mcp.json', { foreign }));
  expect(plan.wants).toEqual([]);
  expect(starts(plan)).toEqual(['node cli.js']);
});
