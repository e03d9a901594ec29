/** Our reading of Cargo.toml against cargo's own. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createFileView } from '../../actors/file-view.ts';
import { readProject } from '../../launchers/rust/workspace.ts';
import { needsRegistries } from '../support/registries.ts';

const crate = (name: string, rest = ''): string =>
  `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\n${rest}`;
const member = (name: string, dir: string, rest = ''): Record<string, string> => ({
  [`${dir}/Cargo.toml`]: crate(name, rest),
  [`${dir}/src/main.rs`]: '',
});

interface Metadata {
  readonly packages: readonly {
    readonly name: string;
    readonly rust_version: string | null;
    readonly default_run: string | null;
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[]; readonly src_path: string }[];
  }[];
}

describe('the programs of a Cargo project', () => {
  needsRegistries('crates');

  it.each<[string, Record<string, string>]>([
    [
      'by convention',
      {
        'Cargo.toml': crate('a'),
        'src/main.rs': '',
        'src/bin/b.rs': '',
        'src/bin/c/main.rs': '',
        'src/bin/c/d.rs': '',
      },
    ],
    [
      'declared beside found ones',
      {
        'Cargo.toml': crate(
          'a',
          'default-run = "x"\nrust-version = "1.70"\n[[bin]]\nname = "x"\npath = "src/main.rs"\n[[bin]]\nname = "y"\n',
        ),
        'src/main.rs': '',
        'src/bin/y.rs': '',
        'src/bin/z.rs': '',
      },
    ],
    [
      'none but declared ones',
      {
        'Cargo.toml': crate('a', 'autobins = false\n[[bin]]\nname = "x"\npath = "tools/x.rs"\n'),
        'tools/x.rs': '',
        'src/bin/z.rs': '',
        'src/lib.rs': '',
      },
    ],
    [
      'of a workspace with globs, an exclusion and members by path',
      {
        'Cargo.toml': `${crate('root', '[dependencies]\nby-path = { path = "deep/by-path" }\n')}[workspace]\nmembers = ["crates/*", "tools/one"]\nexclude = ["crates/out"]\n[workspace.package]\nrust-version = "1.80"\n`,
        'src/main.rs': '',
        ...member('in', 'crates/in', 'rust-version.workspace = true\n'),
        ...member('out', 'crates/out'),
        ...member('one', 'tools/one'),
        ...member('two', 'tools/two'),
        ...member('by-path', 'deep/by-path'),
      },
    ],
    [
      'of a workspace without a package',
      { 'Cargo.toml': '[workspace]\nresolver = "2"\nmembers = ["a", "b"]\n', ...member('a', 'a'), ...member('b', 'b') },
    ],
  ])('%s', async (_, files) => {
    const dir = await mkdtemp(join(tmpdir(), 'mcps-cargo-'));
    try {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), text);
      }
      const args = ['metadata', '--no-deps', '--format-version', '1'];
      const { packages } = JSON.parse((await promisify(execFile)('cargo', args, { cwd: dir })).stdout) as Metadata;
      const real = packages.flatMap(({ name, targets, ...declared }) =>
        targets
          .filter(({ kind }) => kind.includes('bin'))
          .map((target) => [
            name,
            target.name,
            relative(dir, target.src_path),
            declared.rust_version,
            declared.default_run,
          ]),
      );
      const project = readProject(createFileView(dir), '');
      if ('code' in project) throw new Error(project.message);
      const ours = project.packages.flatMap(({ name, bins, rustVersion, defaultRun }) =>
        bins.map((bin) => [name, bin.name, bin.path, rustVersion, defaultRun]),
      );
      expect(ours.sort()).toEqual(real.sort());
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
