/** Which Rust a project wants. */

import { asFields, asString, readManifest } from '../parse.ts';
import { join, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';
import type { CargoPackage } from './manifest.ts';

export interface Toolchain {
  readonly file: string;
  /** `stable`, `1.89`, `nightly-2026-01-01`. */
  readonly channel: string;
}

/** What rust-toolchain(.toml) pins for the folder; rustup takes the nearest. */
export function pinnedToolchain(view: FileView, dir: string): Toolchain | null {
  for (const folder of upwards(dir)) {
    // In the older file without an ending the name may stand alone.
    for (const file of [join(folder, 'rust-toolchain'), join(folder, 'rust-toolchain.toml')]) {
      const text = view.read(file);
      if (text === undefined) continue;
      const alone = /^\s*([\w.-]+)\s*$/.exec(text)?.[1];
      const parsed = file.endsWith('.toml') ? readManifest(view, file) : null;
      const listed = parsed?.ok ? asString(asFields(parsed.fields.toolchain).channel) : null;
      const channel = listed ?? alone ?? /^\s*channel\s*=\s*["']([^"']+)["']/m.exec(text)?.[1];
      return channel === undefined ? null : { file, channel };
    }
  }
  return null;
}

/** The first Rust that knows an edition (Cargo's reference). */
const EDITIONS: Readonly<Record<string, string>> = { 2018: '1.31', 2021: '1.56', 2024: '1.85' };

/**
 * The range of Rust that can surely build a package: the newest of what it declares, what its toolchain file pins and the
 * first that knows its edition (Rust is compatible upwards); null takes any.
 */
export function wantedRust({ rustVersion, edition }: CargoPackage, pinned: Toolchain | null): string | null {
  const named = [rustVersion, pinned?.channel, EDITIONS[edition]].filter(
    (version): version is string => version != null && /^\d+(\.\d+)*$/.test(version),
  );
  const [least] = named.sort((a, b) => minor(b) - minor(a));
  return least === undefined ? null : `>=${least}`;
}

/** `1.89.0` → 89: there is no Rust 2. */
const minor = (version: string): number => Number(version.split('.')[1] ?? 0);
