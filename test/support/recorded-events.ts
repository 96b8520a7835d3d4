import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { defineEvent, defineUpcaster } from '../../src/shared/kernel/domain-event.ts';
import type { LoggedEvent } from '../../src/shared/outbox/stored-event.ts';

const FOLDER = join(__dirname, '..', 'contract', 'recorded-events');

/** Rows of the event log as programs of their time have written them, from a file `<type>.v<version>.json`. */
export function recordedEvents(file: string): LoggedEvent[] {
  const path = join(FOLDER, file);
  if (!existsSync(path)) return [];
  const rows = JSON.parse(readFileSync(path, 'utf8')) as (Omit<LoggedEvent, 'payload'> & { payload: unknown })[];
  return rows.map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
}

export function recordedFiles(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
}

/*
 * An event that has changed twice: the program has none yet, and what is proved with this one holds for the first.
 */
const closed = { additionalProperties: false } as const;
const cartId = Type.String();

export const CartChanged1 = defineEvent('test.cart.changed', 1, Type.Object({ cartId, units: Type.Integer() }, closed));

/** `units` is called `quantity`. */
export const CartChanged2 = defineEvent(
  'test.cart.changed',
  2,
  Type.Object({ cartId, quantity: Type.Integer() }, closed),
);

/** It tells what is counted. */
export const CartChanged3 = defineEvent(
  'test.cart.changed',
  3,
  Type.Object({ cartId, quantity: Type.Integer(), unit: Type.String() }, closed),
);

export const CART_UPCASTERS = [
  defineUpcaster(CartChanged1, CartChanged2, (data) => ({ cartId: data.cartId, quantity: data.units })),
  defineUpcaster(CartChanged2, CartChanged3, (data) => ({ ...data, unit: 'piece' })),
];
