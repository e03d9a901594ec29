/**
 * Elicitation by URL, where the revisions differ: 2025-11-25 names each with an `elicitationId` and lets a server refuse a
 * request with -32042 until the user has been there; 2026-07-28 knows neither, it asks (`input_required`).
 */

import { randomUUID } from 'node:crypto';
import type { Fields } from '../../../../actors/fields.ts';
import type { Client } from '../contracts.ts';
import { RpcError } from '../rpc-error.ts';
import { declares } from './capabilities.ts';

const isByUrl = (method: string, params: unknown): params is Fields =>
  method === 'elicitation/create' && (params as Fields | null | undefined)?.mode === 'url';

/** What a legacy client is asked for a modern plugin. */
export const questionForLegacy = (method: string, params: unknown): unknown =>
  isByUrl(method, params) && params.elicitationId === undefined ? { ...params, elicitationId: randomUUID() } : params;

/** What a modern client is asked for a legacy plugin. */
export function questionForModern(method: string, params: unknown): unknown {
  if (!isByUrl(method, params)) return params;
  const { elicitationId, ...rest } = params;
  return rest;
}

const URL_ELICITATION_REQUIRED = -32042;

/** The refusal of a legacy plugin as the question that it is; the retry is a call like the first one. null for any other error. */
export function questionIn(error: unknown, { capabilities }: Client): Fields | null {
  if (!(error instanceof RpcError) || error.code !== URL_ELICITATION_REQUIRED) return null;
  const elicitations = (error.data as { elicitations?: unknown } | null | undefined)?.elicitations;
  if (!Array.isArray(elicitations) || elicitations.length === 0) return null;
  if (!declares(capabilities, { elicitation: { url: {} } })) return null;
  const method = 'elicitation/create';
  const inputRequests = Object.fromEntries(
    elicitations.map((params, n) => [`elicitation_${n + 1}`, { method, params: questionForModern(method, params) }]),
  );
  return { resultType: 'input_required', inputRequests };
}
