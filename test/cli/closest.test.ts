import { expect, it } from 'vitest';
import { closest } from '../../src/closest.ts';

const names = ['get_current_time', 'convert_time', 'echo', 'add', 'list_files', 'read_file', 'write_file'];

it.each([
  ['ehco', ['echo']],
  ['getCurrentTime', ['get_current_time']],
  ['current', ['get_current_time']],
  ['list-file', ['list_files']],
  ['read_fil', ['read_file']],
  ['xyzzy', []],
])('%s is near %j', (typed, expected) => {
  expect(closest(typed, names)).toEqual(expected);
});

it('names at most three, the nearest first', () => {
  expect(closest('read_file', ['read_file_22', 'read_file', 'read_files', 'read_files_3'])).toEqual([
    'read_file',
    'read_files',
    'read_file_22',
  ]);
});
