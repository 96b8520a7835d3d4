import { gunzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { ValidationFailed } from './http-error.ts';
import { isGzip } from './media-types.ts';
import { fromStatus } from './problem.ts';
import { routeConfig } from './route-config.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a JSON body may come compressed. */
    gzip?: boolean;
  }
}

/** The route takes its JSON body also with `Content-Encoding: gzip`. BODY_BYTES_MAX limits it both packed and unpacked. */
export function GzipBody(): MethodDecorator {
  return routeConfig({ gzip: true });
}

export function takesGzip(request: FastifyRequest): boolean {
  return request.routeOptions.config.gzip === true;
}

/**
 * Hands over the body as it was before it was packed; one that was not, as it is.
 * @param bytesMax most bytes of it; what is longer is not unpacked to its end
 */
export function unpack(
  request: FastifyRequest,
  bytes: Buffer,
  bytesMax: number,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  if (bytes.length === 0 || !isGzip(request.headers)) {
    done(null, bytes);
    return;
  }
  gunzip(bytes, { maxOutputLength: bytesMax }, (error, body) => {
    if (error === null) done(null, body);
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') done(fromStatus(413));
    else done(new ValidationFailed([{ field: 'body', message: 'is not valid gzip, or ends too early' }]));
  });
}
