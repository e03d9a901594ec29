/** What a client can be asked, and what it is told, or the server is, where it can't. */

import type { Fields } from '../../../../actors/fields.ts';
import type { Client } from '../contracts.ts';
import { RPC, RpcError } from '../rpc-error.ts';

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null ? (value as Fields) : null;

/** The capabilities that a client must have declared to be asked that; null for what no client can be asked. */
export function requiredFor(method: string, params: unknown): Fields | null {
  const asked = fieldsOf(params) ?? {};
  switch (method) {
    case 'roots/list':
      return { roots: {} };
    case 'sampling/createMessage':
      return { sampling: asked.tools === undefined && asked.toolChoice === undefined ? {} : { tools: {} } };
    case 'elicitation/create':
      return { elicitation: asked.mode === 'url' ? { url: {} } : { form: {} } };
    default:
      return null;
  }
}

/** Whether a client declared all that. */
export function declares(capabilities: Fields, required: Fields): boolean {
  return Object.entries(required).every(([name, parts]) => {
    const declared = fieldsOf(capabilities[name]);
    if (declared === null) return false;
    return Object.keys(fieldsOf(parts) ?? {}).every(
      // Before there were modes, elicitation was a form; so it is without any.
      (part) => fieldsOf(declared[part]) !== null || (part === 'form' && fieldsOf(declared.url) === null),
    );
  });
}

/** What stands against asking that client; null when nothing does. */
export function refusal(
  { capabilities }: Pick<Client, 'capabilities'>,
  method: string,
  params: unknown,
): RpcError | null {
  const required = requiredFor(method, params);
  if (required === null) return new RpcError(RPC.methodNotFound, `Method not found: ${method}`);
  if (declares(capabilities, required)) return null;
  const [name = ''] = Object.keys(required);
  // The feature is there, but not that way of it (MCP 2025-11-25, elicitation and sampling, error handling).
  return fieldsOf(capabilities[name]) === null
    ? new RpcError(RPC.methodNotFound, `The client did not declare '${name}'.`)
    : new RpcError(RPC.invalidParams, `The client declared '${name}', but not all that this needs.`, { required });
}

/** What a modern client is told whose request can't be answered without asking it. */
export const missingCapability = (required: Fields): RpcError =>
  new RpcError(RPC.missingCapability, `Missing required client capability: ${Object.keys(required).join(', ')}`, {
    requiredCapabilities: required,
  });
