import { describe, expect, it } from 'vitest';
import { explainGo } from '../../launchers/go/explain.ts';
import type { CauseKind } from '../../launchers/plan.ts';

const explain = (output: string, code = 1) => explainGo(output, { code, signal: null });

describe('the words of a failing Go build', () => {
  it.each<[CauseKind, string, string]>([
    [
      'lock-out-of-date',
      'go.sum',
      'main.go:2:8: missing go.sum entry for module providing package github.com/acme/uuid (imported by x); to add:\n\tgo get x',
    ],
    [
      'lock-out-of-date',
      'go.sum',
      'verifying github.com/acme/uuid@v1.6.0: checksum mismatch\n\tdownloaded: h1:NIva\n\tgo.sum:     h1:AAAA\n\nSECURITY ERROR',
    ],
    [
      'lock-out-of-date',
      'vendor',
      'go: inconsistent vendoring in /x:\n\tgithub.com/acme/uuid@v1.6.0: is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt',
    ],
    [
      'missing-module',
      'github.com/acme/uuid',
      'main.go:2:8: no required module provides package github.com/acme/uuid; to add it:\n\tgo get github.com/acme/uuid',
    ],
    ['missing-module', 'foo', 'main.go:3:8: package foo is not in std (/usr/local/go/src/foo)'],
    ['engine-mismatch', 'Go 1.99', 'go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)'],
    [
      'engine-mismatch',
      'go1.99.0',
      'go: downloading go1.99.0 (linux/amd64)\ngo: download go1.99.0: golang.org/toolchain@v0.0.1-go1.99.0.linux-amd64: reading https://proxy.example/golang.org/toolchain/@v/v0.0.1-go1.99.0.linux-amd64.zip: 403 Forbidden\n\tserver response: This module version is not available.',
    ],
    [
      'engine-mismatch',
      '1.x',
      "go: errors parsing go.mod:\ngo.mod:2: invalid go version '1.x': must match format 1.23.0",
    ],
    [
      'network',
      'http://127.0.0.1:9/',
      'go: downloading go1.99.0 (linux/amd64)\ngo: download go1.99.0: golang.org/toolchain@v0.0.1-go1.99.0.linux-amd64: Get "http://127.0.0.1:9/golang.org/toolchain/@v/v0.0.1-go1.99.0.linux-amd64.zip": dial tcp 127.0.0.1:9: connect: connection refused',
    ],
    [
      'network',
      'https://git.example/acme/private/',
      "main.go:2:8: reading git.example/acme/private/go.mod at revision v1.0.0: git ls-remote -q --end-of-options https://git.example/acme/private in /root/x: exit status 128:\n\tfatal: unable to access 'https://git.example/acme/private/': Could not resolve host: git.example",
    ],
    [
      'network',
      'https://git.example',
      "go: git.example/acme/private@v1.0.0: invalid version: git ls-remote -q origin in /root/x: exit status 128:\n\tfatal: could not read Username for 'https://git.example': terminal prompts disabled",
    ],
    [
      'network',
      'nohost.invalid',
      'main.go:2:8: github.com/acme/private@v1.0.0: Get "http://nohost.invalid/github.com/acme/private/@v/v1.0.0.zip": dial tcp: lookup nohost.invalid on 10.0.0.53:53: no such host',
    ],
    ['network', 'GOPROXY', 'go: downloading x v1.0.0\nmain.go:2:8: module lookup disabled by GOPROXY=off'],
    [
      'version-not-found',
      'github.com/acme/private@v1.0.0',
      'main.go:2:8: github.com/acme/private@v1.0.0: reading https://proxy.example/github.com/acme/private/@v/v1.0.0.zip: 403 Forbidden\n\tserver response: This module version is not available.',
    ],
    [
      'entry-missing',
      '../../missing',
      'go: cannot load module ../../missing listed in go.work file: open ../../missing/go.mod: no such file or directory',
    ],
    ['entry-missing', '../y', 'main.go:2:8: y@v0.0.0: replacement directory ../y does not exist'],
    ['build-failed', 'dist/*', 'main.go:3:12: pattern dist/*: no matching files found'],
    ['build-failed', 'undefinedThing', '# x\n./main.go:2:14: undefined: undefinedThing'],
    ['build-failed', 'build constraints', 'package x: build constraints exclude all Go files in /x/cgo'],
    [
      'missing-program',
      'gcc',
      '# runtime/cgo\ncgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH',
    ],
    [
      'missing-library',
      'nosuchlib',
      "# x\n# [pkg-config --cflags  -- nosuchlib]\nPackage nosuchlib was not found in the pkg-config search path.\nPackage 'nosuchlib', required by 'virtual:world', not found",
    ],
    ['missing-library', 'nosuch/x.h', '# x\n./main.go:2:11: fatal error: nosuch/x.h: No such file or directory'],
    [
      'missing-library',
      'nosuch',
      '# x\n/usr/local/go/pkg/tool/linux_amd64/link: running gcc failed: exit status 1\n/usr/bin/ld: cannot find -lnosuch: No such file or directory\ncollect2: error: ld returned 1 exit status',
    ],
    ['out-of-disk', 'disk', 'go: writing go.sum: write /x/go.sum: no space left on device'],
  ])('%s: %s', (kind, names, output) => {
    const cause = explain(output);
    expect(cause.kind).toBe(kind);
    expect(`${cause.detail} ${cause.hint}`).toContain(names);
  });
});

const COBRA = (error: string) =>
  `Error: ${error}\nUsage:\n  weather serve [flags]\n\nFlags:\n      --dir string     dir\n  -h, --help           help for serve\n`;
const URFAVE =
  'NAME:\n   weather - A new cli application\n\nUSAGE:\n   weather [global options] command [command options]\n\nGLOBAL OPTIONS:\n   --token value\n';
const STACK = '\n\ngoroutine 1 [running]:\nmain.main()\n\t/x/plain/main.go:18 +0x512\nexit status 2';

describe('the last words of a Go program', () => {
  it.each<[CauseKind, string, string]>([
    ['missing-argument', '--dir, --tools', COBRA('required flag(s) "dir", "tools" not set')],
    ['missing-argument', 'accepts 1 arg(s), received 0', COBRA('accepts 1 arg(s), received 0')],
    ['missing-argument', 'the argument --token', `${URFAVE}2026/11/22 20:37:01 Required flag "token" not set`],
    ['missing-argument', '--token, --dir', `${URFAVE}2026/11/22 20:37:01 Required flags "token, dir" not set`],
    ['missing-argument', '"serve", "login"', 'weather: error: expected one of "serve", "login"'],
    ['missing-argument', '--key', 'weather: error: missing flags: --key=STRING'],
    [
      'missing-argument',
      '--tools',
      'Error: tools configuration file(s) are required. Use --tools flag to specify the path(s)\n',
    ],
    ['missing-argument', '<allowed-directory>', 'Usage: plain <allowed-directory> [more...]'],
    [
      'missing-argument',
      'weather [command]',
      'Weather for everyone\n\nUsage:\n  weather [command]\n\nAvailable Commands:\n  open\n',
    ],
    ['missing-argument', 'workspace directory is required', '2026/11/22 20:37:01 workspace directory is required'],
    ['missing-setting', 'ACME_TOKEN', '2026/11/22 20:37:00 ACME_TOKEN environment variable is required'],
    ['missing-setting', 'ACME_TOKEN', `panic: env var ACME_TOKEN is not set${STACK}`],
    ['missing-setting', 'ACME_TOKEN', 'required key ACME_TOKEN missing value'],
    [
      'missing-service',
      'Kubernetes',
      `${COBRA('unable to create target provider: no current-context is set and no contexts are defined in kubeconfig.\nConfigure a context')}      --log-file string   Required for logging; must be used together with --log-level`,
    ],
    [
      'missing-service',
      '5432',
      '2026/11/22 20:37:00 failed to connect: dial tcp 127.0.0.1:5432: connect: connection refused',
    ],
    [
      'missing-service',
      '/var/run/nope.sock',
      'Cannot connect: dial unix /var/run/nope.sock: connect: no such file or directory',
    ],
    [
      'network',
      'nohost.invalid',
      '2026/11/22 20:37:00 failed: dial tcp: lookup nohost.invalid on 10.0.0.53:53: no such host',
    ],
    ['missing-program', 'kubectl', '2026/11/22 20:37:01 x: exec: "kubectl": executable file not found in $PATH'],
    [
      'missing-program',
      'C compiler',
      "Binary was compiled with 'CGO_ENABLED=0', go-sqlite3 requires cgo to work. This is a stub",
    ],
    ['port-taken', 'taken', '2026/11/22 20:37:01 listen tcp 127.0.0.1:39999: bind: address already in use'],
    [
      'unknown',
      '/nope/config.yaml',
      '2026/11/22 20:37:01 failed to load config: open /nope/config.yaml: no such file or directory',
    ],
    ['unknown', 'panicked (“no such table: users”)', `panic: no such table: users${STACK}`],
    ['unknown', 'the argument -port', 'flag provided but not defined: -port\nUsage of ./plain:\n  -addr string\n'],
    ['unknown', 'the argument --port', COBRA('unknown flag: --port')],
    ['unknown', 'the argument -x', COBRA("unknown shorthand flag: 'x' in -x")],
    [
      'unknown',
      'the argument stdio',
      'Error: unknown command "stdio" for "weather"\nRun \'weather --help\' for usage.',
    ],
    ['unknown', 'the argument stdio', 'weather: error: unexpected argument stdio'],
  ])('%s: %s', (kind, names, output) => {
    const cause = explain(output);
    expect(cause.kind).toBe(kind);
    expect(cause.detail).toContain(names);
  });
});
