import { describe, expect, it } from 'vitest';
import { createDockerLauncher } from '../../launchers/docker.ts';
import { createFileView } from '../support/file-view.ts';
import { json, line, planOf, refusalOf, SDK } from './plan-of.ts';

const IMAGE = 'FROM elixir:1.18\nEXPOSE 4000/tcp\nENTRYPOINT ["/app/bin/server"]\n';

describe('a Dockerfile', () => {
  it('is built and run where nothing else says how', () => {
    const plan = planOf({ Dockerfile: IMAGE, 'mix.exs': '' }, { name: 'My_Server' });
    expect(plan).toMatchObject({ launcher: 'docker', confidence: 'low', tools: [{ name: 'docker', version: null }] });
    expect(plan.install.flatMap(({ steps }) => steps.map((command) => line({ command })))).toEqual([
      'docker build --iidfile .mcp-supervisor-image -t mcp-supervisor/someone-my-server .',
    ]);
    expect(plan.start.map(line)).toEqual([
      'docker run -i --rm --init --label mcp-supervisor={cookie} {env} -p 127.0.0.1:{port}:4000 mcp-supervisor/someone-my-server',
    ]);
    expect(plan.evidence[0]).toEqual({
      file: 'Dockerfile',
      line: 3,
      says: 'is the only way to run it, starting /app/bin/server',
    });
  });

  it('is run by the id of the image that was built, whoever took the name since', () => {
    const files = { Dockerfile: IMAGE };
    const id = `sha256:${'0a'.repeat(32)}`;
    const view = createFileView({ ...files, '.mcp-supervisor-image': id });
    const { start } = createDockerLauncher().resolve(view, planOf(files));
    expect(start[0]?.command.args.at(-1)).toBe(id);
  });

  it.each<[string, Record<string, string>]>([
    ['a package with an SDK', { 'package.json': json({ name: 'x', bin: 'x.js', dependencies: SDK }), 'x.js': '' }],
    ['a bare file', { 'server.js': 'http.createServer(() => {}).listen(0)' }],
    ['a server below', { 'srv/package.json': json({ name: 'x', bin: 'x.js', dependencies: SDK }), 'srv/x.js': '' }],
  ])('never goes before %s', (_, files) => {
    expect(planOf({ Dockerfile: IMAGE, ...files }).launcher).toBe('node');
  });

  it('is no server of itself', () => {
    expect(refusalOf({ Dockerfile: 'FROM alpine\nCMD ["make"]\n' }).code).toBe('DETECT_NOT_A_SERVER');
    const files = { Dockerfile: 'FROM alpine\nCMD ["x"]\n', 'README.md': '# An MCP server in Zig' };
    expect(planOf(files).start.map(line)[0]).not.toContain('-p');
  });

  it.each([
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'missing-service',
    ],
    [
      'ERROR: failed to solve: node:99: failed to resolve source metadata for docker.io/library/node:99: not found',
      'network',
    ],
    ['ERROR: process "/bin/sh -c make all" did not complete successfully: exit code: 2', 'build-failed'],
    ['docker: Error response from daemon: Bind for 127.0.0.1:80 failed: port is already allocated.', 'port-taken'],
    ['exec: "serve": executable file not found in $PATH: unknown', 'entry-missing'],
  ])('is explained: %s', (output, kind) => {
    expect(createDockerLauncher().explain(output, { code: 1, signal: null }).kind).toBe(kind);
  });
});
