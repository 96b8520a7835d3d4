import { hash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../kernel/domain-error.ts';
import { type FieldError, HttpError } from './http-error.ts';
import { MARKS } from './openapi.ts';

const HEADER = 'idempotency-key';
const REQUIRED = Symbol('idempotency-key-required');

/** Printable ASCII (DESIGN section 4); Node has taken the spaces off both ends. */
const KEY = /^[\x20-\x7e]{1,255}$/;

/** The request may be repeated only under a key: for what creates or adds. */
export function RequiresIdempotencyKey(): MethodDecorator {
  return applyDecorators(SetMetadata(REQUIRED, true), ApiExtension(MARKS.idempotencyKey, true));
}

export function requiresIdempotencyKey(handler: object): boolean {
  return Reflect.getMetadata(REQUIRED, handler) === true;
}

/** The same key came with another request before. */
export class IdempotencyKeyReused extends DomainError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  readonly kind = 'unprocessable';

  constructor() {
    super('This Idempotency-Key was used for another request; take a new key for a new request');
  }
}

/** @throws HttpError IDEMPOTENCY_KEY_MISSING when there is no key or an empty one */
export function assertIdempotencyKeyPresent(headers: IncomingHttpHeaders): void {
  if (!headers[HEADER]) {
    throw new HttpError('IDEMPOTENCY_KEY_MISSING', 'Send an Idempotency-Key header, so that a repeat is recognised');
  }
}

/** Adds to `errors` what is wrong with a key that was sent. */
export function checkIdempotencyKey(message: IncomingMessage, errors: FieldError[]): void {
  const key = message.headers[HEADER];
  if (key === undefined || key === '') return;
  if (typeof key !== 'string' || !KEY.test(key)) {
    errors.push({ field: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' });
  } else if (key.includes(', ') && (message.headersDistinct[HEADER]?.length ?? 1) > 1) {
    // Node joins a header that is sent twice with a comma and a space.
    errors.push({ field: 'Idempotency-Key', message: 'must be sent once' });
  }
}

/** @returns the key of a request that has passed validation, or null */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = request.headers[HEADER];
  return typeof key === 'string' && key !== '' ? key : null;
}

/**
 * What makes two requests the same: method, path, query in any order, and the JSON value of the body whatever its
 * spaces and the order of its members; no body is the same as `{}`.
 */
export function fingerprintOf(request: FastifyRequest): string {
  const queryStart = request.url.indexOf('?');
  const path = queryStart === -1 ? request.url : request.url.slice(0, queryStart);
  const query =
    queryStart === -1
      ? ''
      : request.url
          .slice(queryStart + 1)
          .split('&')
          .sort()
          .join('&');
  // JSON text has no line feed outside of its strings' escapes, nor has a path or a query, so the parts cannot run together.
  const text = `${request.method}\n${decodedPath(path)}\n${query}\n${canonicalJson(request.jsonBody ?? {})}`;
  return hash('sha256', text, 'base64url');
}

/** `%41` and `A` are the same path. The router has decoded it before, so it can be decoded. */
function decodedPath(path: string): string {
  return path.includes('%') ? encodeURI(decodeURIComponent(path)) : path;
}

/** JSON text with sorted member names. The nesting is bounded by JSON_DEPTH_MAX. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`).join(',')}}`;
}
