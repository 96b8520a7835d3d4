import type { Snapshot } from '../audit/snapshot.ts';
import type { Random } from '../random.ts';
import { Client } from './client.ts';
import { HOT_SKUS, literal } from './shop.ts';
import { type Journal, replayedIfDone, type Task } from './task.ts';
import type { Received } from './wire.ts';

export interface Reservation {
  readonly id: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly version: number;
  readonly lines: readonly {
    readonly allocations: readonly { readonly locationId: string; readonly fulfilled: boolean }[];
  }[];
}

/** Where something has not left yet: what is fulfilled twice changes nothing, and nobody could tell that it was done. */
function placeToPick(lines: Reservation['lines']): string | undefined {
  return lines.flatMap(({ allocations }) => allocations).find(({ fulfilled }) => !fulfilled)?.locationId;
}

/** A reservation as the last answer told it. */
export interface Known {
  readonly reservation: Reservation;
  /** The answer itself. */
  readonly text: string;
  readonly cartId: string;
  /** It is left to time, which changes it unasked. */
  readonly isAbandoned: boolean;
}

type Step = 'update' | 'refresh' | 'confirm' | 'cancel' | 'fulfil' | 'fulfil-part';

/** Carts stay open for the whole run, but for those that are left to time. */
const LONG_TTL_SECONDS = 14_400;

/** Fills carts, changes them, pays, gives up. Each has one cart in hand. */
export class Shopper extends Client {
  /** What every one of its reservations has to be like now. */
  readonly known = new Map<string, Known>();
  /** Those that an answer was about since the last comparison. */
  touched = new Set<string>();
  private inHand: string | null = null;
  private made = 0;

  constructor(
    private readonly name: string,
    private readonly random: Random,
    journal: Journal,
  ) {
    super(journal);
  }

  protected next(): Task {
    this.made += 1;
    const current = this.inHand === null ? undefined : this.known.get(this.inHand);
    return current === undefined ? this.create() : this.change(current);
  }

  private create(): Task {
    const key = `c-${this.name}-${this.made}`;
    const isAbandoned = this.random.chance(15);
    const ttlSeconds = isAbandoned ? this.random.whole(1, 3) : LONG_TTL_SECONDS;
    return {
      kind: isAbandoned ? 'create, abandoned' : 'create',
      request: {
        method: 'POST',
        path: '/v1/reservations',
        body: JSON.stringify({ lines: this.lines(), ttlSeconds, cartId: key }),
        key,
      },
      whole: 1,
      effects: async (snapshot) =>
        (await snapshot.rows(`SELECT id FROM reservations WHERE cart_id = ${literal(key)}`)).length,
      learn: (answer) => {
        const id = this.note(answer, key, isAbandoned);
        if (!isAbandoned) this.inHand = id;
      },
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }

  private change({ reservation, cartId }: Known): Task {
    const { id, version } = reservation;
    const step = this.stepFor(reservation);
    const [method, path, body] = this.requestOf(step, reservation);
    return {
      kind: step === 'fulfil-part' ? 'fulfil' : step,
      request: {
        method,
        path: `/v1/reservations/${id}${path}`,
        body: JSON.stringify(body),
        key: `r-${this.name}-${this.made}`,
        byStaff: step === 'fulfil' || step === 'fulfil-part',
      },
      whole: 1,
      effects: async (snapshot) => (await storedVersion(snapshot, 'reservations', id)) - version,
      learn: (answer) => {
        this.note(answer, cartId, false);
        const { status } = JSON.parse(answer.text) as Reservation;
        if (status === 'CANCELLED' || status === 'FULFILLED' || (status === 'CONFIRMED' && this.random.chance(20))) {
          this.inHand = null;
        }
      },
      wrongRepeat: replayedIfDone,
      answerIsKept: true,
    };
  }

  private stepFor({ status }: Reservation): Step {
    if (status === 'CONFIRMED') return this.random.pick(['fulfil', 'fulfil', 'fulfil-part', 'cancel']);
    return this.random.pick(['update', 'update', 'refresh', 'confirm', 'confirm', 'cancel']);
  }

  private requestOf(step: Step, { lines }: Reservation): ['POST' | 'PUT', string, object] {
    switch (step) {
      case 'update':
        return ['PUT', '/lines', { lines: this.lines() }];
      case 'refresh':
        return ['POST', '/refresh', { ttlSeconds: LONG_TTL_SECONDS - this.random.whole(0, 600) }];
      case 'confirm':
        return ['POST', '/confirm', { orderId: `o-${this.name}-${this.made}` }];
      case 'cancel':
        return ['POST', '/cancel', {}];
      case 'fulfil':
        return ['POST', '/fulfil', {}];
      case 'fulfil-part':
        return ['POST', '/fulfil', { locationId: placeToPick(lines) }];
    }
  }

  private lines(): object[] {
    const skus = new Set(Array.from({ length: this.random.whole(1, 3) }, () => this.random.pick(HOT_SKUS)));
    return [...skus].map((sku) => ({
      sku,
      quantity: this.random.whole(1, 4),
      ...(this.random.chance(25) ? { locationId: this.random.pick(['W1', 'W2']) } : {}),
    }));
  }

  private note({ text }: Received, cartId: string, isAbandoned: boolean): string {
    const reservation = JSON.parse(text) as Reservation;
    this.known.set(reservation.id, { reservation, text, cartId, isAbandoned });
    this.touched.add(reservation.id);
    return reservation.id;
  }
}

/** @returns 0 when it is not there */
export async function storedVersion(snapshot: Snapshot, table: string, id: string): Promise<number> {
  const [row] = await snapshot.rows<{ version: number }>(`SELECT version FROM ${table} WHERE id = ${literal(id)}`);
  return row?.version ?? 0;
}
