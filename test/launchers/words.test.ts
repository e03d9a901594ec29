import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../launchers/words.ts';

describe('a command line is split without a shell', () => {
  it.each([
    ['node server.js', ['node', 'server.js']],
    ['  a   b\t c ', ['a', 'b', 'c']],
    ['"my program" \'its $file\' x"y z"w', ['my program', 'its $file', 'xy zw']],
    ['a\\ b \\"c\\" "d\\"e" "f\\g"', ['a b', '"c"', 'd"e', 'f\\g']],
    ["''", ['']],
    ['./run --listen=127.0.0.1:{port} "a && b; c > d"', ['./run', '--listen=127.0.0.1:{port}', 'a && b; c > d']],
  ])('%s', (line, words) => {
    expect(splitCommand(line)).toEqual({ ok: true, words });
  });

  it.each([
    ['a && b', '&&'],
    ['a | b', '|'],
    ['a; b', ';'],
    ['a > b', '>'],
    ['a &', '&'],
    ['(a)', '('],
    ['a $HOME', '$HOME'],
    [`a "$${'{HOME}'}/x"`, 'HOME'],
    ['a $(b)', '$('],
    ['a `b`', '`'],
    ['a "b', 'never closed'],
    ['a \\', 'backslash'],
    ['', 'empty'],
    ['a\nb', 'several lines'],
  ])('%s is refused', (line, words) => {
    expect(splitCommand(line)).toMatchObject({ ok: false, problem: expect.stringContaining(words) });
  });
});
