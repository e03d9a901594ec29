/** Dependencies that are of no use before their install script has run: modules in C, C++ or Rust. */

import { asFields, isFields } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { DOWNLOADS } from './installer-env.ts';
import type { PackageJson } from './package-json.ts';

const NATIVE =
  /^(better-sqlite3(-multiple-ciphers)?|sqlite3|@vscode\/sqlite3|sqlite-vec|sharp|canvas|bcrypt|argon2|node-pty|keytar|usb|serialport|@serialport\/bindings-cpp|robotjs|@nut-tree\S*|isolated-vm|re2|leveldown|classic-level|rocksdb|lmdb|zeromq|tree-sitter(-\w+)*|hnswlib-node|faiss-node|nodegit|node-gyp-build|bufferutil|utf-8-validate|microtime|cpu-features|ssh2|oracledb|ibm_db|odbc|msnodesqlv8|duckdb|snappy|grpc|farmhash|xxhash|libxmljs2?|node-sass|iltorb|gl|midi|iconv|pg-native|deasync|fsevents)$/;

/** Each costs a step, after an install that has failed once. */
const MOST = 8;

/**
 * Names of the packages to build one by one where the install had to run without scripts, because another's script
 * failed: as npm's lock says, else the known ones among the direct dependencies.
 */
export function nativeDependencies(view: FileView, root: string, packages: readonly PackageJson[]): string[] {
  const locked = lockedScripts(view, root);
  const direct = packages.flatMap(({ dependencies }) => [...dependencies.keys()].filter((name) => NATIVE.test(name)));
  const names = locked ?? direct;
  return [...new Set(names)]
    .filter((name) => !DOWNLOADS.test(name))
    .sort()
    .slice(0, MOST);
}

/** Packages with an install script that the product itself needs; null without a lock of npm that says so. */
function lockedScripts(view: FileView, root: string): string[] | null {
  const file = ['npm-shrinkwrap.json', 'package-lock.json']
    .map((name) => join(root, name))
    .find((path) => view.files.includes(path));
  const text = file === undefined ? undefined : view.read(file);
  if (text === undefined) return null;
  let packages: unknown;
  try {
    packages = asFields(JSON.parse(text)).packages;
  } catch {
    return null;
  }
  if (!isFields(packages)) return null;
  return Object.entries(packages).flatMap(([path, entry]) => {
    const { hasInstallScript, dev } = asFields(entry);
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return hasInstallScript === true && dev !== true && path.includes('node_modules/') ? [name] : [];
  });
}
