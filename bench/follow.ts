import { get } from 'node:http';
import type { Target } from './load.ts';

/** A feed that somebody follows. */
export interface Following {
  /** So much of it has arrived. */
  readonly bytes: number;
  stop(): void;
}

/**
 * @param read takes what arrives, piece by piece; left out: it is thrown away
 * @returns once the stream has begun
 * @throws Error when it is refused
 */
export function follow({ url, apiKey }: Target, path: string, read?: (piece: Buffer) => void): Promise<Following> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}${path}`, {
      agent: false,
      headers: { accept: 'text/event-stream', ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }) },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        read?.(chunk);
      });
      response.on('error', () => undefined);
      const following: Following = {
        get bytes() {
          return bytes;
        },
        stop: () => {
          request.destroy();
        },
      };
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
      else
        response.once('data', () => {
          resolve(following);
        });
    });
  });
}
