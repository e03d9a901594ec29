/** `server:` and `profiles:` of a configuration file. */

import { type Fields, isFields } from '../../actors/fields.ts';
import type { Profile } from '../gateway/options.ts';
import { isToolFilter } from '../tool-filter.ts';
import type { Path, Report, ServerOptions } from './contracts.ts';
import { readSize } from './durations.ts';
import { unknownKey } from './unknown-key.ts';

const kind = (
  expected: string,
  fits: (value: unknown) => boolean,
  read: (value: unknown) => unknown = (value) => value,
) => ({
  expected,
  fits,
  read,
});
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
const toList = (value: unknown) => (isText(value) ? [value] : value);
const areTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isToken = (value: unknown) =>
  isText(value) ||
  (isFields(value) &&
    isText(value.token) &&
    (value.profile === undefined || isText(value.profile)) &&
    Object.keys(value).every((key) => key === 'token' || key === 'profile'));
const toTokens = (value: unknown) =>
  Array.isArray(value) ? value.map((token: unknown) => (isText(token) ? { token } : token)) : value;

const FIELDS: Readonly<Record<keyof ServerOptions, ReturnType<typeof kind>>> = {
  host: kind('an address', isText),
  port: kind(
    'a port number, or 0 for a free one',
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536,
  ),
  tokens: kind(
    'a list of tokens, or of { token, profile }',
    (value) => Array.isArray(value) && value.every(isToken),
    toTokens,
  ),
  auth: kind("'off-loopback' or 'always'", (value) => value === 'off-loopback' || value === 'always'),
  allowHost: kind('a list of host names', areTexts, toList),
  allowOrigin: kind('a list of origins', areTexts, toList),
  trustedProxy: kind('an address', isText),
  rateLimit: kind('requests per second', (value) => typeof value === 'number' && value > 0),
  maxBody: kind('bytes, or a size such as 16M', isCount, readSize),
  maxToolName: kind('a number of characters', isCount),
  basePath: kind("a path that begins with '/'", (value) => isText(value) && value.startsWith('/')),
  legacySse: kind('true or false', (value) => typeof value === 'boolean'),
};

/** Keys of `server`; profiles are taken there, too. */
const KEYS = [...Object.keys(FIELDS), 'profiles'];

export function readServer(section: unknown, path: Path, report: Report): ServerOptions {
  if (section === undefined || section === null) return {};
  if (!isFields(section)) throw report.invalid(path, 'expected an object');
  const server: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(section)) {
    if (given === undefined || given === null || key === 'profiles') continue;
    const at = [...path, key];
    if (!Object.hasOwn(FIELDS, key)) throw unknownKey(key, at, KEYS, report);
    const { expected, fits, read } = FIELDS[key as keyof ServerOptions];
    const value = read(given);
    if (!fits(value)) throw report.invalid(at, `expected ${expected}`);
    server[key] = value;
  }
  return server as ServerOptions;
}

/** Also checks that the profile of every token is one of them. */
export function readProfiles(root: Fields, server: ServerOptions, report: Report): Readonly<Record<string, Profile>> {
  const below = isFields(root.server) ? root.server.profiles : undefined;
  const profiles: Record<string, Profile> = {};
  for (const [section, path] of [
    [below, ['server', 'profiles']],
    [root.profiles, ['profiles']],
  ] as const) {
    if (section === undefined || section === null) continue;
    if (!isFields(section)) throw report.invalid(path, 'expected an object of profiles by name');
    for (const [name, profile] of Object.entries(section))
      profiles[name] = readProfile(profile, [...path, name], report);
  }
  for (const [at, { profile }] of (server.tokens ?? []).entries()) {
    if (profile === undefined || Object.hasOwn(profiles, profile)) continue;
    throw report.invalid(['server', 'tokens', at], `there is no profile '${profile}'`);
  }
  return profiles;
}

/** It becomes a part of a path. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

function readProfile(profile: unknown, path: Path, report: Report): Profile {
  if (!NAME.test(String(path.at(-1))))
    throw report.invalid(path, "a profile's name has letters, digits, '.', '_' and '-'");
  // A list is short for the plugins alone.
  if (areTexts(profile)) return { plugins: profile as readonly string[] };
  if (!isFields(profile)) throw report.invalid(path, 'expected a list of plugins, or { plugins, tools }');
  for (const key of Object.keys(profile)) {
    if (key !== 'plugins' && key !== 'tools') throw unknownKey(key, [...path, key], ['plugins', 'tools'], report);
  }
  const { tools } = profile;
  const plugins = toList(profile.plugins);
  if (plugins !== undefined && !areTexts(plugins)) {
    throw report.invalid([...path, 'plugins'], 'expected a list of globs over plugin names');
  }
  if (tools !== undefined && !isToolFilter(tools)) {
    throw report.invalid([...path, 'tools'], 'expected { allow, deny } with lists of globs');
  }
  return {
    ...(plugins === undefined ? {} : { plugins: plugins as readonly string[] }),
    ...(tools === undefined ? {} : { tools }),
  };
}
