/** Checks arguments against a tool's schema before anything is sent, for the command line alone: the relay never does. */

import type { OutputUnit, Schema as ValidatorSchema } from '@cfworker/json-schema';
import { closest } from '../closest.ts';
import { lookUp, parametersOf, type Schema, showType, typeOf } from './schema.ts';

export interface Problem {
  /** `message`, `options.depth`, `paths[1]`; '' for the arguments as a whole. */
  readonly argument: string;
  readonly expected: string;
  readonly got: string;
}

/** Keywords whose errors only repeat what their inner errors say better. */
const WRAPPERS = new Set([
  'properties',
  'patternProperties',
  'items',
  'prefixItems',
  'additionalItems',
  'allOf',
  '$ref',
  'false',
  'then',
  'else',
  'dependentSchemas',
  'propertyNames',
]);
const ALTERNATIVES = new Set(['anyOf', 'oneOf', 'not', 'if', 'contains']);

/**
 * Every problem, each argument once; [] when the arguments fit, and also when the schema itself can't be used: then the
 * server decides. `format` is left to the server, as the drafts' own default is.
 */
export async function findProblems(
  inputSchema: Schema | undefined,
  given: Readonly<Record<string, unknown>>,
): Promise<readonly Problem[]> {
  if (inputSchema === undefined) return [];
  const { Validator } = await import('@cfworker/json-schema');
  let errors: readonly OutputUnit[];
  try {
    // Cloned, because the validator writes its notes into the schema.
    const schema = structuredClone(inputSchema) as ValidatorSchema;
    const validate = (value: unknown) => new Validator(schema, draftOf(inputSchema), false).validate(value);
    errors = validate(given).errors;
  } catch {
    return [];
  }
  const problems = new Map<string, Problem>();
  for (const error of leaves(errors)) {
    const problem = explain(error, inputSchema, given);
    if (!problems.has(problem.argument)) problems.set(problem.argument, problem);
  }
  const names = parametersOf(inputSchema).map(({ name }) => name);
  const isMissing = names.some((name) => problems.get(name)?.got === NOTHING);
  // A schema that doesn't say allows any further name; where an argument is missing, that name is most likely it, misspelt.
  if (isMissing && inputSchema.additionalProperties === undefined && inputSchema.patternProperties === undefined) {
    for (const name of Object.keys(given)) if (!names.includes(name)) problems.set(name, unknownName(name, names));
  }
  return [...problems.values()];
}

const NOTHING = 'nothing';

function unknownName(name: string, names: readonly string[]): Problem {
  const near = closest(name, names)[0];
  return {
    argument: name,
    expected: names.length === 0 ? 'no arguments' : `one of ${names.join(', ')}`,
    got: near === undefined ? 'an unknown name' : `an unknown name (did you mean ${near}?)`,
  };
}

/** Without `$schema` it is 2020-12 (MCP 2025-11-25, "JSON Schema usage"). */
function draftOf({ $schema }: Schema) {
  if (typeof $schema !== 'string') return '2020-12';
  if (/draft-0[67]/.test($schema)) return '7';
  if ($schema.includes('draft-04')) return '4';
  return $schema.includes('2019-09') ? '2019-09' : '2020-12';
}

function leaves(errors: readonly OutputUnit[]): readonly OutputUnit[] {
  const alternatives = errors
    .filter(({ keyword }) => ALTERNATIVES.has(keyword))
    .map((error) => `${error.keywordLocation}/`);
  return errors.filter(
    ({ keyword, keywordLocation }) =>
      !WRAPPERS.has(keyword) &&
      keyword !== 'format' &&
      !alternatives.some((location) => keywordLocation.startsWith(location)),
  );
}

function explain(error: OutputUnit, root: Schema, given: unknown): Problem {
  const { keyword, instanceLocation, keywordLocation } = error;
  const value = lookUp(given, instanceLocation);
  const quoted = /"(.*)"/s.exec(error.error)?.[1] ?? '';
  const argument = argumentName(instanceLocation);
  const rule = ruleAt(root, keywordLocation);
  switch (keyword) {
    case 'required':
      return {
        argument: join(argument, quoted),
        expected: typeOfArgument(root, join(argument, quoted)),
        got: NOTHING,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties':
      if (argument !== '')
        return { argument: join(argument, quoted), expected: 'no such property', got: 'an unknown name' };
      return unknownName(
        quoted,
        parametersOf(root).map(({ name }) => name),
      );
    case 'type':
      return { argument, expected: [rule].flat().join(' or '), got: show(value) };
    case 'enum':
      return {
        argument,
        expected: `one of ${[rule]
          .flat()
          .map((each) => JSON.stringify(each))
          .join(', ')}`,
        got: show(value),
      };
    case 'anyOf':
    case 'oneOf':
      return { argument, expected: showType({ [keyword]: rule }, root), got: show(value) };
    default:
      return {
        argument,
        expected: rule === undefined ? keyword : `${keyword} ${JSON.stringify(rule)}`,
        got: show(value),
      };
  }
}

/** The keyword's own value; the location runs through references as if they were folders. */
function ruleAt(root: Schema, location: string): unknown {
  let at: unknown = root;
  for (const part of location.slice(1).split('/').slice(1)) {
    at = part === '$ref' ? lookUp(root, String(lookUp(at, '#/$ref'))) : lookUp(at, `#/${part}`);
  }
  return at;
}

function typeOfArgument(root: Schema, name: string): string {
  return parametersOf(root).find((parameter) => parameter.name === name)?.type ?? 'a value';
}

/** `#/options/paths/1` → `options.paths[1]` */
function argumentName(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((name, part) => (/^\d+$/.test(part) && name !== '' ? `${name}[${part}]` : join(name, part)), '');
}

const join = (parent: string, name: string) => (parent === '' ? name : `${parent}.${name}`);

function show(value: unknown): string {
  if (value === undefined) return NOTHING;
  const text = JSON.stringify(value);
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return typeof value === 'object' ? short : `${typeOf(value)} ${short}`;
}

/** `message: expected string, got nothing` */
export const showProblem = ({ argument, expected, got }: Problem): string =>
  `${argument === '' ? 'the arguments' : argument}: expected ${expected}, got ${got}`;
