import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { defaultName, parseSource, pinSource, showSource } from '../src/source.ts';

const options = { cwd: '/projects/here', userHome: '/users/me' };
const parse = (text: string) => parseSource(text, options);
const git = (url: string, ref: string | null = null, subdir = '') => ({ kind: 'git', url, ref, subdir });
const folder = (path: string, subdir = '') => ({ kind: 'folder', path, subdir });
const github = (name: string, ref: string | null = null, subdir = '') =>
  git(`https://github.com/${name}.git`, ref, subdir);

describe('parseSource', () => {
  test.each([
    // git URLs
    ['https://example.org/o/n.git', git('https://example.org/o/n.git')],
    ['https://example.org/o/n', git('https://example.org/o/n')],
    ['  https://example.org/o/n/ ', git('https://example.org/o/n')],
    ['HTTPS://Example.org/o/n', git('https://Example.org/o/n')],
    ['http://127.0.0.1:8080/n.git', git('http://127.0.0.1:8080/n.git')],
    ['http://[::1]:8080/n.git', git('http://[::1]:8080/n.git')],
    ['https://example.org/a/deep/group/n', git('https://example.org/a/deep/group/n')],
    ['https://github.com/o/mcp', git('https://github.com/o/mcp')],
    ['https://github.com/o/n?tab=readme-ov-file', git('https://github.com/o/n')],
    ['ssh://git@example.org:2222/o/n.git', git('ssh://git@example.org:2222/o/n.git')],
    ['ssh://git:secret@example.org/o/n.git', git('ssh://git@example.org/o/n.git')],
    ['file:///srv/n.git', git('file:///srv/n.git')],
    ['file://localhost/srv/n.git', git('file:///srv/n.git')],
    ['git@example.org:o/n.git', git('git@example.org:o/n.git')],
    ['example.org:o/n.git', git('example.org:o/n.git')],
    // names
    ['o/n', github('o/n')],
    ['github:o/n', github('o/n')],
    ['o/n.git', github('o/n')],
    ['github:o/n.js', github('o/n.js')],
    // refs and subfolders
    ['https://example.org/o/n.git#v1.0', git('https://example.org/o/n.git', 'v1.0')],
    ['https://example.org/o/n.git#:src/x', git('https://example.org/o/n.git', null, 'src/x')],
    ['github:o/n#v1:src/x', github('o/n', 'v1', 'src/x')],
    ['o/n#feature/a:./x/', github('o/n', 'feature/a', 'x')],
    ['o/n#', github('o/n')],
    ['o/n#:', github('o/n')],
    ['git@example.org:o/n.git#main:x', git('git@example.org:o/n.git', 'main', 'x')],
    ['file:///srv/n.git#0123abc', git('file:///srv/n.git', '0123abc')],
    // pasted from the address bar
    ['https://github.com/o/n/tree/main', git('https://github.com/o/n', 'main')],
    ['https://github.com/o/n/tree/v1/src/x', git('https://github.com/o/n', 'v1', 'src/x')],
    ['https://github.com/o/n/tree/main/with%20blank?x=1', git('https://github.com/o/n', 'main', 'with blank')],
    ['https://github.com/o/n/blob/main/src/x/README.md', git('https://github.com/o/n', 'main', 'src/x')],
    ['https://github.com/o/n/tree/main#feature/a:y', git('https://github.com/o/n', 'feature/a', 'y')],
    ['https://example.org/g/s/n/-/tree/main/src', git('https://example.org/g/s/n', 'main', 'src')],
    ['https://example.org/g/s/n/-/blob/main/src/a.py', git('https://example.org/g/s/n', 'main', 'src')],
    ['https://example.org/o/n/src/branch/main/x', git('https://example.org/o/n', 'main', 'x')],
    // pip's
    ['git+https://example.org/o/n.git', git('https://example.org/o/n.git')],
    ['git+https://example.org/o/n@v1#subdirectory=src/x', git('https://example.org/o/n', 'v1', 'src/x')],
    ['git+https://example.org/o/n@feature/a', git('https://example.org/o/n', 'feature/a')],
    ['git+https://example.org/o/n.git#egg=n&subdirectory=x', git('https://example.org/o/n.git', null, 'x')],
    ['git+https://example.org/o/n.git#v1:x', git('https://example.org/o/n.git', 'v1', 'x')],
    ['git+ssh://git@example.org/o/n.git@v1', git('ssh://git@example.org/o/n.git', 'v1')],
    ['git+file:///srv/n.git@v1', git('file:///srv/n.git', 'v1')],
    // folders
    ['.', folder('/projects/here')],
    ['./x', folder('/projects/here/x')],
    ['../x', folder('/projects/x')],
    ['..', folder('/projects')],
    ['/abs/x/', folder('/abs/x')],
    ['~/x', folder('/users/me/x')],
    ['~', folder('/users/me')],
    ['./with blank#:src/x', folder('/projects/here/with blank', 'src/x')],
  ])('reads %s', (text, source) => {
    expect(parse(text)).toEqual({ source, credential: null });
  });

  test.each([
    '',
    '   ',
    'n',
    'o/n/x',
    '-o/n',
    'ht!tp::/what',
    'ftp://example.org/o/n.git',
    'git://example.org/o/n.git',
    'ext::sh -c touch% /tmp/x',
    'https:///o/n',
    'https://-oProxyCommand=x/o/n',
    'ssh://-oProxyCommand=x/o/n',
    'ssh://-u@example.org/o/n',
    '-oProxyCommand=x@example.org:o/n',
    'file://example.org/srv/n.git',
    'https://github.com/o',
    'github:o',
    'github:o/..',
    'C:\\x',
    'o/n\n#x',
    'o/n#-x',
    'o/n#a..b',
    'o/n#a b',
    'o/n#a@{1}',
    'o/n#:../x',
    'o/n#:x/../../y',
    './x#v1',
    'https://mcp.example.org/mcp',
    'http://localhost:3000/sse',
  ])('refuses %j with CONFIG_SOURCE', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_SOURCE', phase: 'config' }));
  });

  test.each([
    ['n', /\.\/n/],
    ['packages/x/y', /\.\/packages\/x\/y/],
    ['./x#v1', /file:\/\/\/projects\/here\/x#v1/],
    ['https://github.com/o', /owner\/name/],
    ['o/n#:../x', /folder inside the source/],
  ])('says for %s what to write instead', (text, hint) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
  });

  test.each([
    ['https://somebody:s3cr3t%40x@example.org/o/n.git', 'somebody', 's3cr3t@x'],
    ['https://tok3n@example.org/o/n', 'tok3n', ''],
    ['git+https://x:s3cr3t@example.org/o/n@v1', 'x', 's3cr3t'],
    ['https://x:a@b@example.org/o/n', 'x', 'a@b'],
    ['https://x:s3cr3t@example.org/o/n/tree/main/x', 'x', 's3cr3t'],
  ])('takes the login out of %s', (text, username, password) => {
    const { source, credential } = parse(text);
    expect(credential?.username).toBe(username);
    expect(credential?.reveal()).toBe(password);
    const shown = [
      JSON.stringify({ source, credential }),
      inspect({ source, credential }, { showHidden: true, depth: 9 }),
      String(credential),
      showSource(source),
      defaultName(source),
      Object.entries(credential ?? {}).join(),
    ].join('\n');
    expect(shown).toContain('[redacted]');
    for (const secret of [username, password, 's3cr3t']) {
      if (secret.length > 2) expect(shown).not.toContain(secret);
    }
  });

  test('keeps the login out of what it refuses', () => {
    for (const text of ['https://x:s3cr3t@/o', 'ftp://x:s3cr3t@example.org/o', 'https://x:s3cr3t@github.com/o']) {
      expect(() => parse(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('s3cr3t') }));
    }
  });

  test('lets ref and subfolder of the options win', () => {
    expect(parseSource('o/n#a:x', { ref: 'b', subdir: 'y' }).source).toEqual(github('o/n', 'b', 'y'));
    expect(parseSource('o/n#a:x', { ref: 'b' }).source).toEqual(github('o/n', 'b', 'x'));
    expect(parseSource('o/n#a:x', { subdir: '' }).source).toEqual(github('o/n', 'a'));
    expect(() => parseSource('o/n', { ref: '--upload-pack=x' })).toThrow('--upload-pack');
    expect(() => parseSource('o/n', { subdir: '../x' })).toThrow('../x');
    expect(() => parseSource('./x', { ref: 'a' })).toThrow('no branches');
  });
});

test('showSource parses back to the same source', () => {
  for (const text of [
    'o/n',
    'o/n#a',
    'o/n#:x',
    'git@example.org:o/n.git#feature/a:x/y',
    './x',
    './x#:y',
    'file:///n.git#v1',
  ]) {
    const { source } = parse(text);
    expect(parse(showSource(source)).source).toEqual(source);
  }
});

test('pinSource leaves what is not given', () => {
  const { source } = parse('o/n#a:x');
  expect(pinSource(source, {})).toEqual(source);
  expect(pinSource(source, { ref: undefined, subdir: 'y' })).toEqual(github('o/n', 'a', 'y'));
});

describe('defaultName', () => {
  test.each([
    ['https://example.org/o/My_Server.git', /^my-server-[0-9a-f]{6}$/],
    ['o/servers#:src/time', /^servers-time-[0-9a-f]{6}$/],
    ['git@example.org:n.git', /^n-[0-9a-f]{6}$/],
    ['./x', /^x-[0-9a-f]{6}$/],
    ['/', /^[0-9a-f]{6}$/],
    [`o/${'long-'.repeat(30)}`, /^(long-)+[a-z]*-?[0-9a-f]{6}$/],
  ])('of %s is readable', (text, pattern) => {
    expect(defaultName(parse(text).source)).toMatch(pattern);
    expect(defaultName(parse(text).source)).toMatch(/^[a-z0-9][a-z0-9-]{0,60}$/);
  });

  test('is the same for the same source and another for another place, ref or subfolder', () => {
    const name = (text: string) => defaultName(parse(text).source);
    expect(name('https://github.com/o/n.git/')).toBe(name('github:o/n'));
    expect(new Set(['o/n', 'p/n', 'o/n#a', 'o/n#:a', 'o/n#:b/a'].map(name)).size).toBe(5);
  });
});
