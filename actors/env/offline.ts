/** What keeps package managers from the network: they may still find everything in their caches. */

import { basename } from 'node:path';

type Variables = Readonly<Record<string, string>>;

/** Nobody listens there: for those that have no switch of their own. */
const NOWHERE = 'http://127.0.0.1:1';
const LOOPBACK = 'localhost,127.0.0.1,::1';

/** For a plugin, whose start may ask for packages (`npx`, `uv run`, `go run`); its own connections are its affair. */
export const OFFLINE_PLUGIN: Variables = {
  NPM_CONFIG_OFFLINE: 'true',
  pnpm_config_offline: 'true',
  YARN_ENABLE_NETWORK: '0',
  UV_OFFLINE: '1',
  CARGO_NET_OFFLINE: 'true',
  GOPROXY: 'off',
  // Private modules go past GOPROXY to their own hosts.
  GONOPROXY: 'none',
};

/** For installs and builds. */
export const OFFLINE_JOB: Variables = {
  ...OFFLINE_PLUGIN,
  PIP_NO_INDEX: '1',
  COMPOSER_DISABLE_NETWORK: '1',
  GIT_ALLOW_PROTOCOL: 'file',
  YARN_HTTP_PROXY: NOWHERE,
  YARN_HTTPS_PROXY: NOWHERE,
  HTTP_PROXY: NOWHERE,
  HTTPS_PROXY: NOWHERE,
  ALL_PROXY: NOWHERE,
  NO_PROXY: LOOPBACK,
  http_proxy: NOWHERE,
  https_proxy: NOWHERE,
  all_proxy: NOWHERE,
  no_proxy: LOOPBACK,
  // Maven and Gradle, which read no variable for it.
  JAVA_TOOL_OPTIONS: '-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=1 -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=1',
};

/** Those that can't be kept from it: an engine fetches images by itself. */
export const goesOnline = (program: string): boolean => /^(docker|podman)$/.test(basename(program));

/** Switches of those that read no variable. */
export function offlineArgs(program: string): readonly string[] {
  switch (basename(program)) {
    case 'mvn':
    case 'mvnw':
    case 'gradle':
    case 'gradlew':
      return ['--offline'];
    default:
      return [];
  }
}
