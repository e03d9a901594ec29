/** Python projects that a plain approach can't start, from a folder to a tool's answer. */

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Facts } from '../../actors/store/store.ts';
import { createSupervisor, type PluginOptions, type Supervisor } from '../../src/index.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

let home: TestHome;
let supervisor: Supervisor;

beforeEach(async () => {
  home = await createHome();
});
afterEach(async () => {
  await supervisor?.close();
  await expectNothingLeft(home);
  await home[Symbol.asyncDispose]();
});

/** The answer of the plugin's tool `say`; it is named `trap` and lies in a folder of the test's home. */
async function says(
  files: Readonly<Record<string, string>>,
  options: Partial<PluginOptions> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const source = join(home.root, 'trap-plugin');
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(source, file)), { recursive: true });
    await writeFile(join(source, file), text);
  }
  supervisor = createSupervisor({
    home: home.path,
    env: { ...home.env, ...env },
    plugins: { trap: { source, restart: 'temporary', ...options } },
  });
  const { content } = await supervisor.call('trap', { tool: 'say' });
  return content?.[0]?.text ?? '';
}

const facts = async (): Promise<Facts> =>
  JSON.parse(await readFile(join(home.path, 'plugins/trap/facts.json'), 'utf8'));

/** A server without an SDK: it says `text`, and writes with `write`. `before` runs first. */
const handmade = (text: string, { before = '', write = 'print(json.dumps(answer))' } = {}) => `import json, os, sys
${before}
ANSWERS = {
    "initialize": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}},
    "tools/list": {"tools": [{"name": "say", "inputSchema": {"type": "object"}}]},
}
def main():
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        said = {"content": [{"type": "text", "text": str(${text})}]}
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": ANSWERS.get(request["method"], said)}
        ${write}

if __name__ == "__main__":
    main()
`;

describe('a Python server that is written without care', () => {
  it('is heard though it never flushes, and prints what is no protocol (trap 22)', async () => {
    const write = 'print("answering", request["method"]); print(json.dumps(answer)); print("done")';
    expect(await says({ 'server.py': handmade('"heard"', { before: 'print("Starting up…")', write }) })).toBe('heard');
  });

  it('sees nothing of the environment that its owner has activated (trap 21)', async () => {
    const env = { VIRTUAL_ENV: '/nowhere', PYTHONHOME: '/nowhere', PYTHONPATH: '/nowhere', PYTHONSTARTUP: '/nowhere' };
    const said =
      '[name for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP") if name in os.environ]';
    expect(await says({ 'server.py': handmade(said) }, {}, env)).toBe('[]');
  });

  it('is started by the one of its scripts that serves (trap 19)', async () => {
    const files = {
      'pyproject.toml':
        '[project]\nname = "trap-plugin"\nversion = "1"\ndependencies = []\n[project.scripts]\ntrap-report = "trap_plugin.report:main"\ntrap = "trap_plugin.server:main"\n',
      'trap_plugin/server.py': handmade('"the server"'),
      'trap_plugin/report.py': 'def main():\n    print("nothing to report")\n',
    };
    expect(await says(files)).toBe('the server');
  });

  it('whose stub of a main.py does nothing is started all the same', async () => {
    const stub = 'def main():\n    print("Hello from trap!")\n\n\nif __name__ == "__main__":\n    main()\n';
    expect(await says({ 'main.py': stub, 'trap_server.py': handmade('"the other file"') })).toBe('the other file');
  });

  it('whose program dies is started by its next way', async () => {
    const files = {
      'trap/__init__.py': '',
      'trap/__main__.py': 'raise SystemExit(3)\n',
      'server.py': handmade('"the next one"'),
      'README.md': 'Run `python server.py`.\n',
    };
    expect(await says(files)).toBe('the next one');
    expect((await facts()).attempt?.candidate).toBe(1);
  });
});

describe('a Python server that needs a setting (trap 38)', () => {
  const server = {
    'server.py': handmade('os.environ["ACME_MODE"]', { before: 'os.environ["ACME_MODE"]' }),
  };

  it('is parked with the name of what it wants, not started again and again', async () => {
    await expect(says(server)).rejects.toMatchObject({
      code: 'LAUNCH_NEEDS_SETTING',
      message: expect.stringContaining('ACME_MODE'),
      hint: 'Pass it with --env ACME_MODE=value.',
    });
    expect(supervisor.status('trap')).toMatchObject({ state: expect.stringContaining('crashed'), generation: 1 });
  });

  it('starts with it', async () => {
    expect(await says(server, { env: { ACME_MODE: 'fast' } })).toBe('fast');
  });

  it('that wants an argument is parked with its name, and starts with it', async () => {
    const before =
      'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--db-path", required=True)\nargs = parser.parse_args()';
    const files = { 'server.py': handmade('args.db_path', { before }) };
    await expect(says(files)).rejects.toMatchObject({
      code: 'LAUNCH_NEEDS_SETTING',
      message: expect.stringContaining('--db-path'),
    });
    await supervisor.close();
    expect(await says(files, { args: ['--db-path', 'x.db'] })).toBe('x.db');
  });
});

describe('a system’s Python that is not to be installed into (trap 20)', () => {
  needsRegistries('pypi');

  it('stays as it is: the plugin’s packages are its own', async () => {
    const files = {
      'requirements.txt': 'iniconfig\n',
      'server.py': handmade('iniconfig.__file__', { before: 'import iniconfig' }),
    };
    // The one of the distribution alone, which pip refuses to install into where PEP 668 is kept to.
    const said = await says(files, {}, { PATH: '/usr/bin:/bin', HOME: home.root });
    expect(said).toContain(join(home.path, 'envs'));
    const asked = promisify(execFile)('/usr/bin/python3', ['-I', '-c', 'import iniconfig']);
    await expect(asked).rejects.toThrow('iniconfig');
  });
});

describe('a Python server of yesterday', () => {
  needsRegistries('pypi');

  it('that uses what today’s SDK no longer has gets the release that has it, at once', async () => {
    const files = {
      'requirements.txt': 'mcp>=1.2\n',
      'server.py':
        'from mcp.server.fastmcp import FastMCP\nmcp = FastMCP("x")\n@mcp.tool()\ndef say() -> str:\n    return "still here"\nif __name__ == "__main__":\n    mcp.run()\n',
    };
    expect(await says(files)).toBe('still here');
    expect(supervisor.status('trap').generation, 'no start failed for it').toBe(1);
    expect((await facts()).plan?.evidence).toContainEqual({
      file: 'server.py',
      line: 1,
      says: 'imports mcp.server.fastmcp, which mcp 2 no longer has: mcp<2 is installed',
    });
  });
});
