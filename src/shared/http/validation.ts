import { type CanActivate, type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import type { FastifyRequest } from 'fastify';
import { assertWithinReach } from '../access/own-location.ts';
import { Settings } from '../settings.ts';
import { isApiRoute } from './api-routes.ts';
import { bodyValuesMax } from './body-values.ts';
import { checkHeaders } from './answered-stream.ts';
import { type Check, checksOf } from './checks.ts';
import { checkIfMatch } from './etag.ts';
import { type FieldsClass, type FieldShape, fieldsOf, printable } from './fields.ts';
import { type FieldError, FIELD_ERRORS_MAX, ValidationFailed } from './http-error.ts';
import { READS } from './http-methods.ts';
import { assertIdempotencyKeyPresent, checkIdempotencyKey, requiresIdempotencyKey } from './idempotency-key.ts';
import { type JsonBody, memberPath, type OpenLists, parseJsonBody } from './json-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The JSON value of the body as it came, before defaults; `{}` when there was none. */
    jsonBody: unknown;
  }
}

/** A class of fields with a rule over several of them; asked when each field by itself is right. */
export interface CrossChecked {
  crossCheck(): FieldError[];
}

/** What one route takes, found out once from the types of its handler's parameters. */
interface Plan {
  readonly params: FieldsClass;
  readonly query: FieldsClass;
  readonly body: FieldsClass;
  /** Bodies with more members and items are not read. */
  readonly bodyValuesMax: number;
  /** Fields of the body that are lists whose items stand each for themselves. */
  readonly openLists: OpenLists;
  readonly keyRequired: boolean;
}

/** What a handler takes that does not ask for a body, a query or a path: nothing. */
class NoFields {}

const NO_BODY: JsonBody = { value: {}, errors: [] };

/**
 * Checks path, query, body and headers of a request in one go, so that one answer lists everything that is wrong, and
 * puts instances of the classes that the handler names (`@Param() path: X`, `@Query() query: Y`, `@Body() body: Z`) in
 * their place. A pipe sees one parameter at a time and could not do that; a guard runs before them.
 *
 * A handler that names no class takes nothing: any query parameter or member of the body is then unknown.
 */
@Injectable()
export class RequestValidation implements CanActivate {
  private readonly plans = new WeakMap<object, Plan>();

  constructor(private readonly settings: Settings) {}

  /**
   * @throws HttpError IDEMPOTENCY_KEY_MISSING
   * @throws ValidationFailed
   */
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!isApiRoute(request.routeOptions.url)) return true;
    const plan = this.planOf(context);
    if (plan.keyRequired) {
      assertIdempotencyKeyPresent(request.headers);
    }
    const errors: FieldError[] = [];
    request.params = readFields(plan.params, request.params, '', errors);
    request.query = readQuery(plan.query, request.query as Readonly<Record<string, unknown>>, errors);
    checkHeaders(request, errors);
    if (!READS.has(request.method)) {
      this.readBody(plan, request, errors);
      checkIdempotencyKey(request.raw, errors);
      checkIfMatch(request.headers['if-match'], errors);
    }
    if (errors.length > 0) {
      throw new ValidationFailed(errors);
    }
    if (request.routeOptions.config.access !== 'anyone') {
      assertWithinReach([request.params, request.query, request.jsonBody]);
    }
    return true;
  }

  private readBody(plan: Plan, request: FastifyRequest, errors: FieldError[]): void {
    const bytes = request.body;
    const limits = { depthMax: this.settings.jsonDepthMax, valuesMax: plan.bodyValuesMax };
    const body = Buffer.isBuffer(bytes) && bytes.length > 0 ? parseJsonBody(bytes, limits, plan.openLists) : NO_BODY;
    append(errors, body.errors);
    if (body.value === undefined) return;
    request.jsonBody = body.value;
    const known = new Set(body.errors.map(({ field }) => field));
    const fieldErrors: FieldError[] = [];
    request.body = readFields(plan.body, body.value, '', fieldErrors);
    append(
      errors,
      fieldErrors.filter(({ field }) => !known.has(field)),
    );
  }

  private planOf(context: ExecutionContext): Plan {
    const handler = context.getHandler();
    let plan = this.plans.get(handler);
    if (plan === undefined) {
      plan = makePlan(context.getClass(), handler);
      this.plans.set(handler, plan);
    }
    return plan;
  }
}

/** Nest's record of a handler's decorated parameters: `<type>:<index>`. */
type RouteArguments = Readonly<Record<string, { readonly index: number; readonly data?: unknown }>>;

function makePlan(controller: Type<unknown>, handler: { readonly name: string }): Plan {
  const routeArguments = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as RouteArguments;
  const types = Reflect.getMetadata('design:paramtypes', controller.prototype as object, handler.name) as unknown[];
  const classOf = (parameter: RouteParamtypes): FieldsClass => {
    const [, argument] = Object.entries(routeArguments).find(([key]) => key.startsWith(`${parameter}:`)) ?? [];
    if (argument === undefined) return NoFields;
    const type = types[argument.index];
    if (argument.data !== undefined || typeof type !== 'function' || type === Object) {
      throw new Error(`${controller.name}.${handler.name} has to take path, query and body as classes of fields`);
    }
    return type as FieldsClass;
  };
  const body = classOf(RouteParamtypes.BODY);
  return {
    params: classOf(RouteParamtypes.PARAM),
    query: classOf(RouteParamtypes.QUERY),
    body,
    bodyValuesMax: bodyValuesMax(body),
    openLists: new Set([...fieldsOf(body)].flatMap(([name, { openItem }]) => (openItem === undefined ? [] : [name]))),
    keyRequired: requiresIdempotencyKey(handler),
  };
}

function readQuery(type: FieldsClass, query: Readonly<Record<string, unknown>>, errors: FieldError[]): object {
  const { fields } = knownOf(type);
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(query)) {
    const value = query[name];
    const shape = fields.get(name);
    if (shape === undefined) {
      errors.push(unknownField('', name));
    } else if (typeof value !== 'string') {
      errors.push({ field: name, message: 'must be given once' });
      // A stand-in that is read as nothing else can be, so that the field is not reported again as missing.
      values[name] = undefined;
    } else {
      values[name] = shape.read === undefined ? value : shape.read(value);
    }
  }
  const known = new Set(errors.map(({ field }) => field));
  const fieldErrors: FieldError[] = [];
  const instance = readFields(type, values, '', fieldErrors);
  errors.push(...fieldErrors.filter(({ field }) => !known.has(field)));
  return instance;
}

/**
 * Copies the known members of a JSON object into a new instance and checks them. Only declared fields are ever
 * assigned, so `__proto__` and the like are unknown fields and nothing else. It stops when there are more errors than one
 * answer tells.
 * @param path where the object stands, empty for the whole
 */
export function readFields(type: FieldsClass, source: unknown, path: string, errors: FieldError[]): object {
  const { fields, checks } = knownOf(type);
  const instance = new type() as Record<string, unknown>;
  const given = (source ?? {}) as Readonly<Record<string, unknown>>;
  const before = errors.length;
  for (const name of Object.keys(given)) {
    if (errors.length >= FIELD_ERRORS_MAX) return instance;
    const shape = fields.get(name);
    if (shape === undefined) {
      errors.push(unknownField(path, name));
    } else {
      assign(instance, name, given[name], shape, path, errors);
    }
  }
  for (const { name, verdict } of checks) {
    const message = verdict(instance[name]);
    if (message !== null) errors.push({ field: memberPath(path, name, false), message });
  }
  if (errors.length === before && isCrossChecked(instance)) {
    errors.push(...instance.crossCheck().map((error) => ({ ...error, field: memberPath(path, error.field, false) })));
  }
  return instance;
}

/**
 * The same for one of very many small objects, with plain values only.
 * @returns an instance of the class, or all that is wrong
 */
export function readRowFields<T extends object>(
  type: new () => T,
  given: Readonly<Record<string, unknown>>,
): { readonly value: T } | { readonly errors: readonly FieldError[] } {
  const { fields, checks } = knownOf(type);
  const instance = new type() as T & Record<string, unknown>;
  const values: Record<string, unknown> = instance;
  const errors: FieldError[] = [];
  for (const name of Object.keys(given)) {
    const shape = fields.get(name);
    if (shape === undefined) errors.push(unknownField('', name));
    else assign(values, name, given[name], shape, '', errors);
  }
  for (const { name: field, verdict } of checks) {
    const message = verdict(values[field]);
    if (message !== null) errors.push({ field, message });
  }
  if (errors.length === 0 && isCrossChecked(instance)) errors.push(...instance.crossCheck());
  return errors.length === 0 ? { value: instance } : { errors };
}

function assign(
  instance: Record<string, unknown>,
  name: string,
  value: unknown,
  shape: FieldShape,
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || (value === null && shape.nullable)) return; // keeps its default
  const { items, eachItem, openItem, itemsMax = 0 } = shape;
  if (!Array.isArray(value)) {
    instance[name] = value;
    return;
  }
  const field = memberPath(path, name, false);
  if (openItem !== undefined) {
    instance[name] = value;
    refuseItems(value.slice(0, itemsMax), openItem, field, errors);
    return;
  }
  instance[name] = value.map((item: unknown, index) => {
    if (index >= itemsMax || errors.length >= FIELD_ERRORS_MAX) return item;
    const place = memberPath(field, String(index), true);
    const message = items === undefined ? (eachItem?.(item) ?? null) : objectRule(item);
    if (message !== null) {
      errors.push({ field: place, message });
    } else if (items !== undefined) {
      return readFields(items(), item, place, errors);
    }
    return item;
  });
}

function refuseItems(
  items: readonly unknown[],
  refusalsOf: (item: unknown) => readonly FieldError[],
  list: string,
  errors: FieldError[],
): void {
  items.forEach((item, index) => {
    if (errors.length >= FIELD_ERRORS_MAX) return;
    for (const { field, message } of refusalsOf(item)) {
      const place = memberPath(list, String(index), true);
      errors.push({ field: field === '' ? place : `${place}.${field}`, message });
    }
  });
}

function objectRule(value: unknown): string | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'must be an object';
}

/** A body can hold more errors than a call can have arguments, so they are not spread. */
function append(errors: FieldError[], more: readonly FieldError[]): void {
  for (const error of more) errors.push(error);
}

function unknownField(path: string, name: string): FieldError {
  return { field: memberPath(path, printable(name), false), message: 'is not known here' };
}

function isCrossChecked(instance: object): instance is CrossChecked {
  return typeof (instance as Partial<CrossChecked>).crossCheck === 'function';
}

interface KnownClass {
  readonly fields: ReadonlyMap<string, FieldShape>;
  readonly checks: readonly Check[];
}

const knownClasses = new WeakMap<FieldsClass, KnownClass>();

function knownOf(type: FieldsClass): KnownClass {
  let known = knownClasses.get(type);
  if (known === undefined) {
    known = { fields: fieldsOf(type), checks: checksOf(type) };
    knownClasses.set(type, known);
  }
  return known;
}
