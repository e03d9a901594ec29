import { describe, expect, it } from 'vitest';
import { registrySubfolder } from '../../launchers/server-json.ts';
import { createFileView } from '../support/file-view.ts';
import { json, planOf, refusalOf, SDK } from './plan-of.ts';

const PACKAGE = {
  'package.json': json({ name: '@acme/weather', bin: { weather: 'cli.js' }, dependencies: SDK }),
  'cli.js': 'process.argv.includes("--port")',
};
const planWith = (...packages: object[]) => planOf({ ...PACKAGE, 'server.json': json({ packages }) });

describe('the registry’s entry of the package', () => {
  it('says that it talks over HTTP, where, and how it takes its port', () => {
    const plan = planWith({
      registryType: 'npm',
      identifier: '@acme/weather',
      transport: { type: 'streamable-http', url: 'http://127.0.0.1:{port}/api/mcp' },
      packageArguments: [{ type: 'named', name: '--port', value: '{port}' }],
    });
    expect(plan).toMatchObject({
      transport: 'streamable-http',
      endpoint: '/api/mcp',
      port: { args: ['--port', '{port}'] },
    });
  });

  it('of stdio goes before one of HTTP, which needs a port', () => {
    const transport = { type: 'streamable-http', url: 'http://localhost:3000/mcp' };
    const plan = planWith(
      { identifier: '@acme/weather', transport },
      { identifier: '@acme/weather', transport: { type: 'stdio' } },
    );
    expect(plan.transport).toBe('auto');
  });

  it('fixes variables, and leaves templates and choices to others (trap 32)', () => {
    const variable = (name: string, value?: string) => ({ name, ...(value === undefined ? {} : { value }) });
    const template = '${VERSION}';
    const environmentVariables = [variable('MODE', 'local'), variable('VERSION', template), variable('API_KEY')];
    const plan = planWith({ identifier: '@acme/weather', version: template, environmentVariables });
    expect(plan.env).toEqual({ MODE: 'local' });
    expect(plan.wants.map(({ name }) => name)).toEqual(expect.arrayContaining(['API_KEY', 'MODE']));
  });

  it('says nothing of another package, nor of an image', () => {
    const http = { type: 'sse', url: 'http://localhost:8000/sse' };
    expect(planWith({ identifier: 'another', transport: http }).transport).toBe('auto');
    expect(planWith({ registryType: 'oci', identifier: '@acme/weather', transport: http }).transport).toBe('auto');
  });

  it('is read in the snake_case of the first schema', () => {
    const environment_variables = [{ name: 'ACME_KEY', is_required: true, is_secret: true, description: 'the key' }];
    expect(planWith({ registry_name: 'npm', name: '@acme/weather', environment_variables }).wants).toEqual([
      { name: 'ACME_KEY', required: true, secret: true, description: 'the key' },
    ]);
  });
});

it('names the folder of a monorepo that holds the server, if there is such a folder', () => {
  const at = (subfolder: string) =>
    registrySubfolder(createFileView({ 'server.json': json({ repository: { subfolder } }), 'packages/a/x': '' }));
  expect(at('packages/a')).toBe('packages/a');
  expect(at('packages/gone')).toBeNull();
  expect(at('../..')).toBeNull();
});

it('chooses that folder among servers that are equals', () => {
  const member = (name: string) => ({
    [`packages/${name}/package.json`]: json({ name: `@acme/${name}`, bin: { [name]: 'cli.js' }, dependencies: SDK }),
    [`packages/${name}/cli.js`]: '',
  });
  const files = { ...member('one'), ...member('two') };
  expect(refusalOf(files).code).toBe('DETECT_AMBIGUOUS');
  const plan = planOf({ ...files, 'server.json': json({ repository: { subfolder: 'packages/two' } }) });
  expect(plan.projectDir).toBe('packages/two');
  expect(plan.evidence[0]?.says).toBe('is the folder that server.json names');
});
