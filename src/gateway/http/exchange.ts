import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpExchange, Principal } from '../contracts.ts';
import { readBody } from './read-body.ts';

/** One request after security. A class, because there is one per call: the query is parsed only where it is asked for. */
export class Exchange implements HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: readonly string[];
  readonly principal: Principal;
  readonly #search: string;
  readonly #maxBody: number;
  #query: URLSearchParams | null = null;

  constructor(
    response: ServerResponse,
    path: readonly string[],
    search: string,
    principal: Principal,
    maxBody: number,
  ) {
    this.request = response.req;
    this.response = response;
    this.path = path;
    this.principal = principal;
    this.#search = search;
    this.#maxBody = maxBody;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }

  body(): Promise<Buffer> {
    return readBody(this.request, this.#maxBody);
  }
}
