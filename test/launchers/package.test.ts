import { describe, expect, it } from 'vitest';
import { createPackageLauncher } from '../../launchers/package.ts';
import { isRefusal, type LaunchPlan, type Overrides } from '../../launchers/plan.ts';
import { planFor } from '../../launchers/table.ts';
import { sampleSpec } from '../../src/testing/samples.ts';
import { createFileView } from '../support/file-view.ts';
import { json, line, rungs, starts, toolOf } from './plan-of.ts';

const { resolve } = createPackageLauncher();

function plan(note: object, overrides: Overrides = {}, files: Readonly<Record<string, string>> = {}): LaunchPlan {
  const { registry, name } = { registry: 'npm', name: '@acme/weather', ...note } as {
    registry: 'npm' | 'pypi';
    name: string;
  };
  const source = { kind: 'package', registry, name, version: null, subdir: '' } as const;
  const view = createFileView({ 'registry.json': json({ registry, name, version: '1.2.3', ...note }), ...files });
  const made = planFor(view, sampleSpec({ source, overrides }));
  if (isRefusal(made)) throw new Error(`${made.code} ${made.message}`);
  return made;
}

const NPM = { bin: { 'weather-setup': 'setup.js', weather: './dist/index.js' }, engines: { node: '>=20' } };
const PYPI = { registry: 'pypi', name: 'acme-weather[cli]' };

describe('a package of npm', () => {
  it('starts by the file of its program, the server before its helpers', () => {
    const made = plan(NPM);
    expect(starts(made)).toEqual(['node node_modules/@acme/weather/dist/index.js']);
    expect(made.start[0]?.entry).toBe('node_modules/@acme/weather/dist/index.js');
    expect(toolOf(made, 'node')?.version).toBe('>=20');
    expect(rungs(made).length).toBeGreaterThan(1);
    expect(made).toMatchObject({ launcher: 'package', runtime: 'node', build: [], confidence: 'high' });
  });

  it('with one program takes it whatever its name', () => {
    expect(starts(plan({ bin: './cli.js' }))).toEqual(['node node_modules/@acme/weather/cli.js']);
    expect(starts(plan({ bin: { 'weather-setup': 'setup.js' } }))).toEqual([
      'node node_modules/@acme/weather/setup.js',
    ]);
  });

  it('starts the program that the caller names, a helper too', () => {
    const made = plan(NPM, { command: ['weather-setup'], args: ['--x'] });
    expect(starts(made)).toEqual(['node node_modules/@acme/weather/setup.js --x']);
    const files = {
      'registry.json': json({ registry: 'npm', name: '@acme/weather' }),
      'node_modules/@acme/weather/package.json': json(NPM),
    };
    expect(starts(resolve(createFileView(files), made))).toEqual(['node node_modules/@acme/weather/setup.js --x']);
  });

  it('runs any other command as it is given', () => {
    expect(starts(plan(NPM, { command: ['sh', '-c', 'x'] }))).toEqual(['sh -c x']);
  });

  it('without a program is no server, unless it is told how to start', () => {
    expect(() => plan({})).toThrow(/DETECT_NOT_A_SERVER .*library/);
    expect(() => plan({ bin: { x: '../../../bin/sh' } })).toThrow(/DETECT_NOT_A_SERVER/);
    expect(starts(plan({}, { command: ['node', 'x.js'] }))).toEqual(['node x.js']);
  });

  it('once installed says what it wants, and which programs are not for Node', () => {
    const installed = {
      'registry.json': json({ registry: 'npm', name: '@acme/weather' }),
      'node_modules/@acme/weather/package.json': json({ bin: { weather: 'run.sh' } }),
      'node_modules/@acme/weather/run.sh': '#!/bin/sh\nexec node "$0.js"\n',
      'node_modules/@acme/weather/README.md':
        '```json\n{"mcpServers":{"weather":{"command":"npx","args":["-y","@acme/weather","stdio"],"env":{"WEATHER_API_KEY":"..."}}}}\n```\n',
    };
    const made = resolve(createFileView(installed), plan(NPM));
    expect(made.start.map(line)[0]).toMatch(/^node_modules\/\.bin\/weather/);
    expect(made.wants.map(({ name }) => name)).toContain('WEATHER_API_KEY');
  });

  it('is left as planned when nothing more is known', () => {
    const made = plan(NPM);
    expect(resolve(createFileView({}), made)).toBe(made);
  });
});

describe('a package of PyPI', () => {
  const installed = {
    'registry.json': json({ registry: 'pypi', name: PYPI.name }),
    '.venv/lib/python3.12/site-packages/acme_weather-1.2.3.dist-info/METADATA': `Metadata-Version: 2.1\nName: acme-weather\n\n\`\`\`json\n${json({ mcpServers: { weather: { command: 'uvx', args: ['acme-weather'], env: { WEATHER_API_KEY: '...' } } } })}\n\`\`\`\n`,
    '.venv/lib/python3.12/site-packages/acme_weather-1.2.3.dist-info/entry_points.txt':
      '[console_scripts]\nacme-weather-setup = a:b\nacme-weather-server = a:b\n\n[other]\nx = y\n',
    '.venv/lib/python3.12/site-packages/other-1.dist-info/entry_points.txt': '[console_scripts]\nother = a:b\n',
  };

  it('is installed into a venv, as of its release when today’s dependencies break it', () => {
    const made = plan(PYPI);
    expect(made.install.map(({ steps }) => steps.map((command) => line({ command })))).toEqual([
      [
        'python -m venv --clear --without-pip .venv',
        'uv pip install --python .venv/bin/python acme-weather[cli]==1.2.3',
      ],
      [
        'python -m venv --clear --without-pip .venv',
        'uv pip install --python .venv/bin/python --exclude-newer {date} acme-weather[cli]==1.2.3',
      ],
    ]);
    expect(made.install[1]?.asOfCommit).toBe(true);
    expect(starts(made)).toEqual(['.venv/bin/acme-weather']);
  });

  it('starts the scripts that it really has', () => {
    expect(starts(resolve(createFileView(installed), plan(PYPI, { args: ['--x'] })))).toEqual([
      '.venv/bin/acme-weather-server --x',
    ]);
    const named = plan(PYPI, { command: ['acme-weather-setup'] });
    expect(starts(named)).toEqual(['.venv/bin/acme-weather-setup']);
    expect(starts(resolve(createFileView(installed), named))).toEqual(['.venv/bin/acme-weather-setup']);
  });

  it('says what its page says of settings', () => {
    const made = resolve(createFileView(installed), plan(PYPI));
    expect(made.wants.map(({ name }) => name)).toContain('WEATHER_API_KEY');
  });

  it('without scripts runs its module', () => {
    const info = '.venv/lib/python3.12/site-packages/acme_weather-1.2.3.dist-info';
    const view = createFileView({
      'registry.json': installed['registry.json'],
      [`${info}/METADATA`]: 'Name: acme-weather\n\n',
      [`${info}/RECORD`]: 'weather/__init__.py,,\nweather/__main__.py,sha256=x,1\n',
    });
    expect(starts(resolve(view, plan(PYPI)))).toEqual(['.venv/bin/python -m weather']);
  });
});

it('a note that is not there or broken is refused', () => {
  const source = { kind: 'package', registry: 'npm', name: 'x', version: null, subdir: '' } as const;
  for (const files of [{}, { 'registry.json': '{' }] as Readonly<Record<string, string>>[]) {
    expect(planFor(createFileView(files), sampleSpec({ source }))).toMatchObject({ code: 'DETECT_BAD_MANIFEST' });
  }
});
