import { describe, expect, test } from 'vitest';
import { commandText, defaultName, parseSource, showSource } from '../src/source.ts';

const options = { cwd: '/projects/here', userHome: '/users/me' };
const parse = (text: string) => parseSource(text, options);
const git = (url: string, ref: string | null = null, subdir = '') => ({ kind: 'git', url, ref, subdir });
const github = (name: string, ref: string | null = null, subdir = '') => git(`https://github.com/${name}`, ref, subdir);
const named = (name: string, ref: string | null = null, subdir = '') => github(`${name}.git`, ref, subdir);
const archive = (location: string, sha256: string | null = null, subdir = '') => ({
  kind: 'archive',
  location,
  sha256,
  subdir,
});
const inPackage =
  (registry: string) =>
  (name: string, version: string | null = null) => ({
    kind: 'package',
    registry,
    name,
    version,
    subdir: '',
  });
const npm = inPackage('npm');
const pypi = inPackage('pypi');
const SHA = '0123456789abcdef'.repeat(4);

const FORMS: Readonly<Record<string, readonly (readonly [string, object])[]>> = {
  'copied along with other marks': [
    ['"https://github.com/o/n"', github('o/n')],
    ["'o/n'", named('o/n')],
    ['`o/n`', named('o/n')],
    ['<https://github.com/o/n>', github('o/n')],
    ['[the server](https://github.com/o/n)', github('o/n')],
    ['[n](<https://github.com/o/n>).', github('o/n')],
    ['https://github.com/o/n,', github('o/n')],
    ['"https://github.com/o/n",', github('o/n')],
    ['$ git clone https://github.com/o/n.git', named('o/n')],
    ['https://github.com/o/n//', github('o/n')],
  ],
  'without or with another scheme and host': [
    ['github.com/o/n', github('o/n')],
    ['www.github.com/o/n', github('o/n')],
    ['http://github.com/o/n', github('o/n')],
    ['https://www.github.com/o/n/', github('o/n')],
    ['GitHub.com/o/n.git', named('o/n')],
    ['gitlab.com/g/s/n', git('https://gitlab.com/g/s/n')],
    ['git.example.org:8443/o/n.git', git('https://git.example.org:8443/o/n.git')],
    ['github:o/n/', named('o/n')],
    ['gitlab:g/s/n', git('https://gitlab.com/g/s/n.git')],
    ['gitlab:o/n.git#main', git('https://gitlab.com/o/n.git', 'main')],
    ['bitbucket:o/n', git('https://bitbucket.org/o/n.git')],
    ['codeberg:o/n#:src', git('https://codeberg.org/o/n.git', null, 'src')],
    ['gist:0123456789abcdef0123', git('https://gist.github.com/0123456789abcdef0123.git')],
    ['o/n@v1', named('o/n', 'v1')],
    ['git+ssh://git@github.com/o/n.git', git('ssh://git@github.com/o/n.git')],
  ],
  'from the address bar of GitHub': [
    ['https://github.com/o/n?tab=readme-ov-file#installation-1-ov-file', github('o/n')],
    ['https://github.com/o/n#readme', github('o/n')],
    ['https://github.com/o/n?tab=MIT-1-ov-file', github('o/n')],
    ['https://github.com/o/n#installation', github('o/n', 'installation')],
    ['https://github.com/o/n.git#readme', named('o/n', 'readme')],
    ['o/n#readme', named('o/n', 'readme')],
    ['https://github.com/o/n/issues', github('o/n')],
    ['https://github.com/o/n/issues/12#issuecomment-345', github('o/n')],
    ['https://github.com/o/n/pull/3', github('o/n', 'refs/pull/3/head')],
    ['https://github.com/o/n/pull/3/files', github('o/n', 'refs/pull/3/head')],
    ['https://github.com/o/n/pulls', github('o/n')],
    ['https://github.com/o/n/wiki/Home', github('o/n')],
    ['https://github.com/o/n/actions/runs/1', github('o/n')],
    ['https://github.com/o/n/releases', github('o/n')],
    ['https://github.com/o/n/releases/tag/v1.2.3', github('o/n', 'v1.2.3')],
    ['https://github.com/o/n/commit/0123abc', github('o/n', '0123abc')],
    ['https://github.com/o/n/commits/main/', github('o/n', 'main')],
    ['https://github.com/o/n/blob/main/README.md', github('o/n', 'main')],
    ['https://github.com/o/n/blob/main/src/a.py#L10-L20', github('o/n', 'main', 'src')],
    ['https://github.com/o/n/edit/main/src/a/b.ts', github('o/n', 'main', 'src/a')],
    ['https://github.com/o/n/tree/refs/heads/main/src', github('o/n', 'main', 'src')],
    ['https://raw.githubusercontent.com/o/n/main/src/server.py', github('o/n', 'main', 'src')],
    ['https://raw.githubusercontent.com/o/n/refs/heads/main/server.py', github('o/n', 'main')],
    ['https://github.com/o/n/tarball/v1', github('o/n', 'v1')],
  ],
  'from the address bar of other hosts': [
    ['https://gitlab.com/g/s/n/-/issues/4', git('https://gitlab.com/g/s/n')],
    ['https://gitlab.com/g/n/-/merge_requests/5/diffs', git('https://gitlab.com/g/n', 'refs/merge-requests/5/head')],
    ['https://gitlab.com/g/s/n/-/tags/v1', git('https://gitlab.com/g/s/n', 'v1')],
    ['https://gitlab.com/g/s/n/-/commit/0123abc', git('https://gitlab.com/g/s/n', '0123abc')],
    ['https://gitlab.com/g/n/-/tree/main/src?ref_type=heads', git('https://gitlab.com/g/n', 'main', 'src')],
    ['https://codeberg.org/o/n/src/branch/main/x', git('https://codeberg.org/o/n', 'main', 'x')],
    ['https://codeberg.org/o/n/pulls/7', git('https://codeberg.org/o/n', 'refs/pull/7/head')],
    ['https://codeberg.org/o/n/releases/tag/v1', git('https://codeberg.org/o/n', 'v1')],
    ['https://codeberg.org/o/n/issues', git('https://codeberg.org/o/n')],
    ['https://bitbucket.org/o/n/src/main/src/x', git('https://bitbucket.org/o/n', 'main', 'src/x')],
    ['https://bitbucket.org/o/n/pull-requests/3', git('https://bitbucket.org/o/n')],
    [
      'https://git.example.org/projects/ABC/repos/n/browse/src?at=refs/heads/main',
      git('https://git.example.org/scm/abc/n.git', 'main', 'src'),
    ],
    ['https://gist.github.com/somebody/0123456789abcdef0123', git('https://gist.github.com/0123456789abcdef0123.git')],
    [
      'https://gist.github.com/somebody/0123456789abcdef0123#file-server-py',
      git('https://gist.github.com/0123456789abcdef0123.git'),
    ],
    ['https://dev.azure.com/org/project/_git/n', git('https://dev.azure.com/org/project/_git/n')],
    [
      'https://dev.azure.com/org/project/_git/n?path=/src/x&version=GBmain',
      git('https://dev.azure.com/org/project/_git/n', 'main', 'src/x'),
    ],
    ['git@ssh.dev.azure.com:v3/org/project/n', git('git@ssh.dev.azure.com:v3/org/project/n')],
    ['https://git.sr.ht/~o/n/tree/main/item/src', git('https://git.sr.ht/~o/n', 'main', 'src')],
    ['https://huggingface.co/spaces/o/n/tree/main', git('https://huggingface.co/spaces/o/n', 'main')],
    ['https://huggingface.co/spaces/o/n', git('https://huggingface.co/spaces/o/n')],
  ],
  'whole lines of git': [
    ['git clone https://github.com/o/n.git', named('o/n')],
    ['git clone git@github.com:o/n.git some-folder', git('git@github.com:o/n.git')],
    ['git clone --depth 1 -b v1 https://github.com/o/n', github('o/n', 'v1')],
    ['git clone --depth=1 --branch=v1 https://github.com/o/n', github('o/n', 'v1')],
    ['git clone https://github.com/o/n.git && cd n && npm install', named('o/n')],
    ['git clone https://github.com/o/n.git\ncd n\npip install -e .', named('o/n')],
    ['gh repo clone o/n', named('o/n')],
  ],
  archives: [
    ['./x.zip', archive('/projects/here/x.zip')],
    ['dist/x.mcpb', archive('/projects/here/dist/x.mcpb')],
    ['/abs/x.tar.gz#:src', archive('/abs/x.tar.gz', null, 'src')],
    ['~/x.tgz', archive('/users/me/x.tgz')],
    ['/abs/x.dxt', archive('/abs/x.dxt')],
    ['file:///abs/with%20blank.tar', archive('/abs/with blank.tar')],
    [`./x.zip#sha256=${SHA}`, archive('/projects/here/x.zip', SHA)],
    [`https://example.org/x.zip#sha256=${SHA}:src/x`, archive('https://example.org/x.zip', SHA, 'src/x')],
    [
      `https://example.org/x.zip#sha256=${SHA.toUpperCase()}&subdirectory=src`,
      archive('https://example.org/x.zip', SHA, 'src'),
    ],
    ['https://example.org/x.tar.gz?download=1', archive('https://example.org/x.tar.gz?download=1')],
    ['https://github.com/o/n/archive/refs/tags/v1.zip', archive('https://github.com/o/n/archive/refs/tags/v1.zip')],
    [
      'https://github.com/o/n/releases/download/v1/n.mcpb',
      archive('https://github.com/o/n/releases/download/v1/n.mcpb'),
    ],
    ['https://github.com/o/n/blob/main/n.dxt', archive('https://github.com/o/n/raw/main/n.dxt')],
    ['https://gitlab.com/g/n/-/archive/v1/n-v1.tar.gz', archive('https://gitlab.com/g/n/-/archive/v1/n-v1.tar.gz')],
  ],
  packages: [
    ['npm:some-server', npm('some-server')],
    ['npm:some-server@1.2.3', npm('some-server', '1.2.3')],
    ['npm:@scope/name', npm('@scope/name')],
    ['npm:@scope/name@next', npm('@scope/name', 'next')],
    ['npm:@scope/name@latest', npm('@scope/name')],
    ['npm:name@^1.2', npm('name', '^1.2')],
    ['npm:name#2.0.0', npm('name', '2.0.0')],
    ['@scope/name@1', npm('@scope/name', '1')],
    ['pypi:some-server', pypi('some-server')],
    ['pypi:Some.Server==1.2', pypi('Some.Server', '1.2')],
    ['pypi:name[cli,http]==1.2', pypi('name[cli,http]', '1.2')],
    ['pypi:name>=1,<2', pypi('name', '>=1,<2')],
    ['pypi:name@1.2', pypi('name', '1.2')],
    ['some-server==1.2', pypi('some-server', '1.2')],
    ['pkg:npm/%40scope/name@1.0.0', npm('@scope/name', '1.0.0')],
    ['pkg:pypi/name@1.0.0', pypi('name', '1.0.0')],
    ['https://www.npm.example/package/@scope/name', npm('@scope/name')],
    ['https://www.npm.example/package/name/v/1.2.3', npm('name', '1.2.3')],
    ['https://pypi.example/project/some-server/', pypi('some-server')],
    ['pypi.example/project/some-server/1.2.3/', pypi('some-server', '1.2.3')],
  ],
  'whole lines of installers': [
    ['npm install -g @scope/name', npm('@scope/name')],
    ['npm i some-server@1', npm('some-server', '1')],
    ['pnpm add some-server', npm('some-server')],
    ['npm install github:o/n', named('o/n')],
    ['pip install some-server', pypi('some-server')],
    ['pip install -U "some-server[cli]>=1"', pypi('some-server[cli]', '>=1')],
    ['uv tool install some-server', pypi('some-server')],
    ['pipx install some-server==1', pypi('some-server', '1')],
    ['python -m pip install git+https://github.com/o/n@v1', github('o/n', 'v1')],
    ['pip install "n @ git+https://github.com/o/n.git"', named('o/n')],
  ],
};

/** Runners: also which program, with which arguments. */
const RUNNERS: readonly (readonly [string, object, { command?: readonly string[]; args?: readonly string[] }])[] = [
  ['npx some-server', npm('some-server'), {}],
  ['npx -y @scope/name@1 --root /data', npm('@scope/name', '1'), { args: ['--root', '/data'] }],
  ['npx --yes github:o/n stdio', named('o/n'), { args: ['stdio'] }],
  ['npx -y o/n', named('o/n'), {}],
  ['npx -y -p @scope/name some-program x', npm('@scope/name'), { command: ['some-program'], args: ['x'] }],
  ['npx -y --package=some-server some-server', npm('some-server'), {}],
  ['npx -y ./local', { kind: 'folder', path: '/projects/here/local', subdir: '' }, {}],
  ['npm exec --yes -- some-server --x', npm('some-server'), { args: ['--x'] }],
  ['npm exec some-server -- --x', npm('some-server'), { args: ['--x'] }],
  ['bunx some-server --x "a b"', npm('some-server'), { args: ['--x', 'a b'] }],
  ['bun x some-server', npm('some-server'), {}],
  ['pnpm dlx some-server', npm('some-server'), {}],
  ['yarn dlx -q some-server', npm('some-server'), {}],
  ['uvx some-server --local-timezone UTC', pypi('some-server'), { args: ['--local-timezone', 'UTC'] }],
  ['uvx some-server@latest', pypi('some-server'), {}],
  ['uvx some-server@1.2', pypi('some-server', '1.2'), {}],
  ['uvx --from some-package some-script x', pypi('some-package'), { command: ['some-script'], args: ['x'] }],
  ['uvx --from some-package==1 some-package', pypi('some-package', '1'), {}],
  ['uvx --from git+https://github.com/o/n some-script', github('o/n'), { command: ['some-script'] }],
  ['uvx --from git+https://github.com/o/n@v1#subdirectory=src/x x', github('o/n', 'v1', 'src/x'), { command: ['x'] }],
  ['uv tool run some-server', pypi('some-server'), {}],
  ['pipx run some-server a', pypi('some-server'), { args: ['a'] }],
  ['pipx run --spec some-package some-script', pypi('some-package'), { command: ['some-script'] }],
  ['claude mcp add some -- npx -y some-server', npm('some-server'), {}],
];

for (const [kind, forms] of Object.entries(FORMS)) {
  describe(kind, () => {
    test.each(forms)('reads %j', (text, source) => {
      expect(parse(text)).toEqual({ source, credential: null });
    });
  });
}

describe('whole lines of runners', () => {
  test.each(RUNNERS)('reads %j', (text, source, rest) => {
    expect(parse(text)).toEqual({ source, credential: null, ...rest });
  });
});

describe('a bare command', () => {
  const command = (...argv: string[]) => ({ kind: 'command', argv, cwd: '/projects/here', subdir: '' });

  test.each([
    ['-- node ./server.js --x', command('node', './server.js', '--x')],
    ["-- node 'my server.js'", command('node', 'my server.js')],
    ['--  ./server', command('./server')],
    ['-- docker run -i --rm some/image', command('docker', 'run', '-i', '--rm', 'some/image')],
  ])('reads %s', (text, source) => {
    expect(parse(text).source).toEqual(source);
  });

  test('of any words reads back as it was', () => {
    const argv = ['node', 'a b', "it's", '"', '$HOME', '', '--x={}', 'ünï', 'two\nlines'];
    expect(parse(commandText(argv)).source).toEqual(command(...argv));
  });

  test('is shown without the values of telling options', () => {
    const { source } = parse('-- node s.js --api-key s3cr3t --token=s3cr3t --root /data');
    expect(showSource(source)).toBe(
      "-- node s.js --api-key '[redacted]' '--token=[redacted]' --root /data".replaceAll("'", ''),
    );
  });
});

describe('what is refused, and what to do instead', () => {
  test.each([
    ['docker run -i --rm some/image', /container image/, /-- docker run|-- docker …/],
    ['node ./server.js', /not a source/, /-- node …/],
    ['uvx --with other some-server', /--with/, /-- uvx …/],
    ['uvx --python 3.12 some-server', /--python/, /-- uvx …/],
    ['npx -c "rm -rf x"', /-c/, /-- npx …/],
    ['npm install', /not a source/, /./],
    ['API_KEY=s3cr3t npx -y some-server', /Variables/, /--env/],
    ['claude mcp add some -e KEY=s3cr3t -- npx -y some-server', /variables/i, /--env/],
    ['npx -y some-server | tee log', /shell operator/, /./],
    ['git clone --upload-pack=touch https://github.com/o/n', /--upload-pack/, /--ref/],
    ['git clone -u touch https://github.com/o/n', /-u/, /--ref/],
    ['git clone -c core.fsmonitor=touch https://github.com/o/n', /-c/, /--ref/],
    ['git pull', /git clone/, /./],
    ['some-server', /not a source/, /\.\/some-server.*npm:some-server.*pypi:some-server/],
    ['some-server@1.2', /not a source/, /npm:some-server@1\.2/],
    ['{"mcpServers": {}}', /not a source/, /configuration/],
    ['https://mcp.example.org/', /running server/, /repository/],
    ['https://mcp.example.org/v1/stream', /running server/, /repository/],
    ['https://github.com/orgs/o/repositories', /not a repository/, /owner\/name/],
    ['https://github.com/o/n/some-page', /not a repository/, /owner\/name/],
    ['https://github.com', /not a repository/, /owner\/name/],
    ['./x.tar.xz', /can't be unpacked/, /Unpack it/],
    ['https://example.org/x.7z', /can't be unpacked/, /Unpack it/],
    ['./some.whl', /can't be unpacked/, /Unpack it/],
    ['./x.zip#main', /no branches/, /sha256/],
    ['./x.zip#sha256=123', /checksum/, /64 hex/],
    ['./x.zip#:../y', /leaves the source/, /./],
    ['https://example.org/x.zip?X-Amz-Signature=s3cr3t', /holds a secret/, /Download/],
    ['https://example.org/x.zip?private_token=s3cr3t', /holds a secret/, /Download/],
    ['npm:../x', /does not name a package/, /npm:name/],
    ['npm:--registry=x', /does not name a package/, /npm:name/],
    ['npm:x@file:../y', /can't be a version/, /./],
    ['npm:x@--registry', /can't be a version/, /./],
    ['npm:x#:sub', /no subfolders/, /./],
    ['pypi:--index-url', /does not name a package/, /pypi:name/],
    ['pypi:x==1; touch y', /can't be a version/, /./],
    ['gitlab:n', /not a repository/, /gitlab:owner\/name/],
    ['codeberg:o/-n', /not a repository/, /./],
    ['--  ', /./, /./],
    ['-- a && b', /shell operator/, /./],
  ])('%j', (text, message, hint) => {
    let thrown: unknown;
    try {
      parse(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'CONFIG_SOURCE',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(JSON.stringify(thrown)).not.toContain('s3cr3t');
  });
});

test('every form that is read is shown in a way that reads back', () => {
  const texts = [...Object.values(FORMS).flat(), ...RUNNERS].map(([text]) => text);
  expect(texts.length).toBeGreaterThan(100);
  for (const text of texts) {
    const { source } = parse(text);
    expect(parse(showSource(source)).source, text).toEqual(source);
    expect(defaultName(source), text).toMatch(/^[a-z0-9][a-z0-9-]{0,60}$/);
  }
});

test('a login before the host of an archive is its credential, and never shown', () => {
  const { source, credential } = parse('https://somebody:s3cr3t@example.org/x.zip');
  expect(source).toEqual(archive('https://example.org/x.zip'));
  expect(credential?.reveal()).toBe('s3cr3t');
});

describe('defaultName', () => {
  test.each([
    ['./my-server.mcpb', /^my-server-[0-9a-f]{6}$/],
    ['https://github.com/o/n/archive/refs/tags/v1.zip', /^n-[0-9a-f]{6}$/],
    ['npm:@scope/server-time@1', /^server-time-[0-9a-f]{6}$/],
    ['pypi:server[cli]==1', /^server-[0-9a-f]{6}$/],
    ['-- node --enable-source-maps ./dist/server.js --x', /^server-[0-9a-f]{6}$/],
    ['-- uvx some-server', /^some-server-[0-9a-f]{6}$/],
    ['-- ./bin/serve', /^serve-[0-9a-f]{6}$/],
  ])('of %s is readable', (text, pattern) => {
    expect(defaultName(parse(text).source)).toMatch(pattern);
  });
});
