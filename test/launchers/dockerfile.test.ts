import { describe, expect, it } from 'vitest';
import { copiedFrom, type Dockerfile, parseDockerfile, readDockerfile } from '../../launchers/dockerfile.ts';
import { createFileView } from '../support/file-view.ts';

const parse = (text: string): Dockerfile => {
  const parsed = parseDockerfile('Dockerfile', text);
  if (parsed === null) throw new Error('not a Dockerfile');
  return parsed;
};

describe('what a container of the Dockerfile runs', () => {
  it.each<[string, string, string[]]>([
    ['CMD alone', 'CMD ["node", "dist/index.js"]', ['node', 'dist/index.js']],
    ['ENTRYPOINT with the arguments of CMD', 'ENTRYPOINT ["/server"]\nCMD ["stdio"]', ['/server', 'stdio']],
    ['the shell form', 'CMD node dist/index.js --port 80', ['node', 'dist/index.js', '--port', '80']],
    ['the shell form with exec', 'CMD exec node "my server.js"', ['node', 'my server.js']],
    ['what `sh -c` runs', 'CMD ["/bin/sh", "-c", "exec python -m acme"]', ['python', '-m', 'acme']],
    ['nothing of what needs a shell', 'CMD npm run migrate && node .', []],
    ['an ENTRYPOINT in shell form without CMD', 'ENTRYPOINT python -m acme\nCMD ["--http"]', ['python', '-m', 'acme']],
    ['the last of several', 'CMD ["a"]\nCMD ["b"]', ['b']],
    ['lines that go on', 'CMD ["node", \\\n  # a remark\n\n  "a.js"]', ['node', 'a.js']],
    ['lower case', 'cmd ["a"]', ['a']],
    ['nothing after an empty ENTRYPOINT', 'ENTRYPOINT []\nCMD ["a"]', ['a']],
    ['nothing at all', 'RUN true', []],
  ])('%s', (_, text, expected) => {
    expect(parse(`FROM scratch\n${text}\n`).command).toEqual(expected);
  });

  it('is that of the last stage, with what it takes over from the one it is built on', () => {
    const image = parse(
      'FROM rust:1 AS Build\nEXPOSE 1\nENTRYPOINT ["cargo"]\nFROM debian AS base\nWORKDIR /app\nENV MODE=http\nENTRYPOINT ["./server"]\nFROM base\nCMD ["serve"]\n',
    );
    expect(image.command).toEqual(['./server', 'serve']);
    expect(image).toMatchObject({ workdir: '/app', env: { MODE: 'http' }, expose: [], from: 'base' });
    expect(image.stages.map(({ name }) => name)).toEqual(['build', 'base', null]);
  });
});

describe('a Dockerfile', () => {
  it('tells ports, variables and the working folder, with the values that are known', () => {
    const image = parse(
      `ARG BASE=node:22\nFROM \${BASE}\nARG PORT=8080\nENV PORT=$PORT NAME="my server" \\\n  PLAIN=a\nENV OLD form of it\nEXPOSE \${PORT} 9090/tcp 53/udp\nWORKDIR /srv\nWORKDIR app\n`,
    );
    expect(image.from).toBe('node:22');
    expect(image.env).toEqual({ PORT: '8080', NAME: 'my server', PLAIN: 'a', OLD: 'form of it' });
    expect(image.expose).toEqual([8080, 9090]);
    expect(image.workdir).toBe('/srv/app');
  });

  it('gives the line of a command and skips the text of here-documents', () => {
    const image = parse('FROM a\nRUN <<EOF\nCMD ["no"]\nENTRYPOINT no\nEOF\nRUN make\nCMD ["yes"]\n');
    expect(image.cmd).toMatchObject({ words: ['yes'], form: 'exec', line: 7 });
    expect(image.run).toEqual([
      { text: '<<EOF', line: 2 },
      { text: 'make', line: 6 },
    ]);
  });

  it.each([
    ['COPY --from=build /src/target/release/acme-mcp /usr/local/bin/server', '/usr/local/bin/server', 'acme-mcp'],
    ['COPY --from=build /src/target/release/acme-mcp /usr/local/bin/', '/usr/local/bin/acme-mcp', 'acme-mcp'],
    ['WORKDIR /app\nCOPY --from=build --chown=1:1 /out/acme-mcp ./server', './server', 'acme-mcp'],
    ['COPY a b /app/', '/app/a', 'a'],
  ])('knows the file behind a path of the image: %s', (text, path, expected) => {
    expect(copiedFrom(parse(`FROM a\n${text}\n`), path)).toBe(expected);
  });

  it('is found in the folder, else in its docker folder', () => {
    const view = createFileView({ 'docker/Dockerfile': 'FROM a', 'x/Dockerfile': 'FROM b', 'y/Dockerfile': '# none' });
    expect(readDockerfile(view, '')?.file).toBe('docker/Dockerfile');
    expect(readDockerfile(view, 'x')?.from).toBe('b');
    expect(readDockerfile(view, 'y')).toBeNull();
    expect(readDockerfile(view, 'z')).toBeNull();
  });
});
