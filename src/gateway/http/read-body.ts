/** Reads a request's body, which may be as large as allowed and no larger, whether it says its length or not. */

import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** The caller is gone: there is nobody to answer. */
export class CallerGone extends Error {}

/** Rejects with HttpError 413 and 415, or CallerGone; what is left of a refused body is for whoever answers. */
export function readBody(request: IncomingMessage, maxBody: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { headers } = request;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      return reject(new HttpError('HTTP_ENCODING', 'The body is compressed.'));
    const length = headers['content-length'];
    if (length !== undefined && Number(length) > maxBody) return reject(tooLarge(maxBody));
    // Somebody before us (a framework) has read it.
    if (request.readableEnded) return resolve(parsedBefore(request));
    if (request.destroyed) return reject(gone());

    const chunks: Buffer[] = [];
    let size = 0;
    const stop = () => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBody) return chunks.push(chunk);
      stop();
      request.pause();
      return reject(tooLarge(maxBody));
    };
    const onEnd = () => {
      stop();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    };
    const onGone = () => {
      stop();
      reject(gone());
    };
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** Body parsers of Express and its like leave what they made of it in `body`. */
function parsedBefore(request: IncomingMessage): Buffer {
  const { body } = request as { readonly body?: unknown };
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

const gone = () => new CallerGone('The caller hung up before it had sent everything.');

const tooLarge = (maxBody: number) =>
  new HttpError('HTTP_TOO_LARGE', `The body is larger than the ${maxBody} bytes that it may have.`);
