/** Finds the document with which a plain HTTP service describes its operations. */

import type { LaunchPlan } from '../../launchers/plan.ts';
import type { Log } from '../context.ts';
import { exchange, type HttpClient } from '../mcp/http-client.ts';
import { readDocument } from '../mcp/openapi/document.ts';
import { type Operation, operationsOf } from '../mcp/openapi/tools.ts';

/** FastAPI and most others; NestJS and Swagger UI; Spring. */
const USUAL_PATHS = ['/openapi.json', '/swagger.json', '/v3/api-docs'];
/** Milliseconds for one of them; frameworks make it at the first request. */
const GUESS_TIMEOUT = 3000;
const NAMED_TIMEOUT = 10_000;
const LARGEST = 16 * 1024 * 1024;

export interface OpenApiSearch {
  readonly plan: Pick<LaunchPlan, 'openapi'>;
  /** Path below which the service lies, `/` or `/api/v1`. */
  readonly base: string;
  /** Whether the usual paths are asked where the plan names none. */
  readonly mayGuess: boolean;
  readonly signal: AbortSignal;
  readonly log: Log | undefined;
}

/** Empty where there is no such document; one that the plan names and that can't be read is a warning. */
export async function findOperations(
  client: HttpClient,
  { plan, base, mayGuess, signal, log }: OpenApiSearch,
): Promise<readonly Operation[]> {
  if (plan.openapi === undefined && !mayGuess) return [];
  const below = base.replace(/\?.*$/s, '').replace(/\/+$/, '');
  const usual = below === '' ? USUAL_PATHS : [...USUAL_PATHS.map((path) => below + path), ...USUAL_PATHS];
  const timeout = plan.openapi === undefined ? GUESS_TIMEOUT : NAMED_TIMEOUT;
  for (const path of plan.openapi === undefined ? usual : [plan.openapi]) {
    const request = { method: 'GET', path, headers: { accept: 'application/json' } };
    const answer = await exchange(client, request, { timeout, maxBody: LARGEST, signal });
    const document = answer?.status === 200 ? readDocument(answer.body.toString()) : null;
    if (document !== null) return operationsOf(document);
    if (plan.openapi !== undefined) {
      log?.warn(
        { path, status: answer?.status ?? null },
        'the OpenAPI document that the plan names is not there, or is no JSON of version 3',
      );
    }
  }
  return [];
}
