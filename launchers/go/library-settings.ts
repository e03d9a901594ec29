import type { Setting } from '../plan.ts';
import type { GoModule } from './module.ts';

/** Variables that libraries read by themselves, so that no source of the plugin names them. */
const READ_BY: readonly (readonly [module: RegExp, names: readonly string[]])[] = [
  [/^k8s\.io\/client-go$/, ['KUBECONFIG']],
  [/^github\.com\/(docker\/docker|moby\/moby)(\/|$)/, ['DOCKER_HOST']],
  [
    /^(cloud\.google\.com\/go|google\.golang\.org\/api)(\/|$)/,
    ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT'],
  ],
  [
    /^github\.com\/aws\/aws-sdk-go(-v2)?(\/|$)/,
    ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'AWS_REGION', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  ],
  [/^github\.com\/Azure\/azure-sdk-for-go(\/|$)/, ['AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_TENANT_ID']],
];

/** The settings with those that its libraries read or name by themselves, sorted by name. */
export function withLibrarySettings(
  settings: readonly Setting[],
  module: GoModule | null,
  texts: readonly string[],
): Setting[] {
  const required = [...(module?.requires.keys() ?? [])];
  const names = READ_BY.flatMap(([pattern, read]) => (required.some((path) => pattern.test(path)) ? read : []));
  const known = new Set(settings.map(({ name }) => name));
  const more = [...new Set([...names, ...prefixed(texts)])]
    .filter((name) => !known.has(name))
    .map((name) => ({ name, required: false, secret: /KEY|SECRET|TOKEN|PASSWORD/.test(name) }));
  return [...settings, ...more].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const KEY = /\bviper\.(?:Get\w*|BindPFlag|SetDefault|IsSet|UnmarshalKey|BindEnv)\(\s*"([\w.-]+)"/g;
const TAG = /`[^`\n]*\benvconfig:"([\w]+)[",]/g;

/** viper and envconfig put a prefix before the names in the source: `acme` and `api-key` are ACME_API_KEY. */
function prefixed(texts: readonly string[]): string[] {
  const all = (pattern: RegExp) => texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name));
  const viper = all(/\.SetEnvPrefix\(\s*"(\w+)"/g).flatMap((prefix) => all(KEY).map((key) => `${prefix}_${key}`));
  const envconfig = all(/\benvconfig\.(?:Must)?Process\(\s*"(\w+)"/g).flatMap((prefix) =>
    all(TAG).map((key) => `${prefix}_${key}`),
  );
  // Where it listens is not its owner's to say.
  return [...viper, ...envconfig]
    .map((name) => name.toUpperCase().replaceAll(/[.-]/g, '_'))
    .filter((name) => !/_(PORT|ADDR|ADDRESS|LISTEN)$/.test(name));
}
