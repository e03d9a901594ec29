/** The few ways in which the gateway answers. */

import type { ServerResponse } from 'node:http';
import { cutUnread } from './cut-unread.ts';

/** On every answer: nothing of ours is cached, sniffed or framed. */
const SECURITY = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

export function setSecurityHeaders(response: ServerResponse): void {
  for (const name in SECURITY) response.setHeader(name, SECURITY[name as keyof typeof SECURITY]);
}

/** Sends a body of known length; to HEAD its headers alone. Does nothing when the caller is gone. */
export function replyText(response: ServerResponse, status: number, type: string, text: string): void {
  if (response.headersSent || response.destroyed) return;
  const { req } = response;
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.setHeader('content-length', Buffer.byteLength(text));
  if (req.method === 'HEAD') return void response.end();
  cutUnread(response, text);
  response.end(text);
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** `undefined` is told as null: there is always a JSON value. */
export const replyJson = (response: ServerResponse, status: number, value: unknown): void =>
  replyText(response, status, JSON_TYPE, JSON.stringify(value) ?? 'null');
