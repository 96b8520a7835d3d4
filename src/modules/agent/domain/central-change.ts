import type { Instant } from '../../../shared/kernel/clock.ts';

/** What the centre tells of this store's stock, as far as the shelf has to know. */
export type CentralChange = {
  readonly sku: string;
  /** The centre's version of the stock item after the change. */
  readonly subjectVersion: number;
} & (
  | { readonly kind: 'moved'; readonly delta: number }
  | { readonly kind: 'fulfilled'; readonly holdId: string; readonly units: number }
  | { readonly kind: 'held'; readonly holdId: string; readonly units: number; readonly expiresAt: Instant }
  | { readonly kind: 'shortened'; readonly holdId: string; readonly expiresAt: Instant }
  | { readonly kind: 'committed'; readonly holdId: string; readonly units: number }
  | {
      readonly kind: 'released';
      readonly holdId: string;
      readonly units: number;
      readonly from: 'HELD' | 'COMMITTED';
    }
  | { readonly kind: 'policy'; readonly safetyStock: number }
);

/** The parts of a CloudEvent that are looked at. */
export interface ChangeEvent {
  readonly type: string;
  readonly dataversion: number;
  readonly subjectversion: number;
  readonly data: unknown;
}

/**
 * Reads an event of the feed.
 * @returns null for one that does not change what the shelf shows, also of a type that came after this program
 * @throws Error when a known type in a known version lacks what it has to have
 */
export function readChange(event: ChangeEvent): CentralChange | null {
  const read = READERS[event.type];
  if (read === undefined) return null;
  const data = new Members(event.type, event.data);
  const change = read(data);
  return { ...change, sku: data.text('sku'), subjectVersion: event.subjectversion };
}

type Told<Change = CentralChange> = Change extends CentralChange ? Omit<Change, 'sku' | 'subjectVersion'> : never;

/** Within a version members are only added, so what is read here stays; a version that takes some away has a new name here. */
const READERS: Readonly<Record<string, (data: Members) => Told>> = {
  'inventory.stock.moved': (data) => {
    const delta = data.whole('delta');
    const holdId = data.textOrNone('holdId');
    return data.text('movementType') === 'FULFILMENT' && holdId !== undefined
      ? { kind: 'fulfilled', holdId, units: -delta }
      : { kind: 'moved', delta };
  },
  'inventory.stock.held': (data) => ({
    kind: 'held',
    holdId: data.text('holdId'),
    units: data.whole('units'),
    expiresAt: data.instant('expiresAt'),
  }),
  'inventory.stock.hold-shortened': (data) => ({
    kind: 'shortened',
    holdId: data.text('holdId'),
    expiresAt: data.instant('expiresAt'),
  }),
  'inventory.stock.committed': (data) => ({
    kind: 'committed',
    holdId: data.text('holdId'),
    units: data.whole('units'),
  }),
  'inventory.stock.released': (data) => ({
    kind: 'released',
    holdId: data.text('holdId'),
    units: data.whole('units'),
    from: data.text('from') === 'COMMITTED' ? 'COMMITTED' : 'HELD',
  }),
  'inventory.stock.policy-changed': (data) => ({ kind: 'policy', safetyStock: data.whole('safetyStock') }),
};

/** A payload from outside: each member is what it is said to be, or the event cannot be read. */
class Members {
  private readonly members: Readonly<Record<string, unknown>>;

  constructor(
    private readonly type: string,
    data: unknown,
  ) {
    if (typeof data !== 'object' || data === null) throw new Error(`The data of ${type} is no object`);
    this.members = data as Readonly<Record<string, unknown>>;
  }

  text(name: string): string {
    const value = this.members[name];
    return typeof value === 'string' ? value : this.fail(name, 'a text');
  }

  textOrNone(name: string): string | undefined {
    const value = this.members[name];
    return typeof value === 'string' ? value : undefined;
  }

  whole(name: string): number {
    const value = this.members[name];
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.fail(name, 'a whole number');
  }

  instant(name: string): Instant {
    const value = Date.parse(this.text(name));
    return Number.isNaN(value) ? this.fail(name, 'an instant') : value;
  }

  private fail(name: string, what: string): never {
    throw new Error(`${name} in the data of ${this.type} is not ${what}`);
  }
}
