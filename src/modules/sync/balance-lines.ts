import { IdField, PatternQuery, QuantityField } from '../../shared/http/fields.ts';
import { type FieldError, ValidationFailed } from '../../shared/http/http-error.ts';
import { type JsonLimits, parseJsonText } from '../../shared/http/json-body.ts';
import { readRowFields } from '../../shared/http/validation.ts';
import { type Line, LineFault } from '../../shared/rows/lines.ts';
import type { RawRow, RowFormat } from '../../shared/rows/row-format.ts';
import { BALANCE_MAX } from '../inventory/contract.ts';
import { SEQUENCE_MAX, type StoreBalance } from './contract.ts';
import { FEED_CURSOR_PATTERN } from './feed-cursor.ts';

/** Most items of one store; their names are held until all have come. */
const BALANCES_MAX = 1_000_000;
/** Most values of a line; a right one has a few. */
const LINE_VALUES_MAX = 50;

/** The first line: as of when the store has these units. */
export class BalanceHeader {
  @QuantityField({ min: 1, max: SEQUENCE_MAX })
  epoch!: number;

  /** 0: before the first event of the epoch. */
  @QuantityField({ min: 0, max: SEQUENCE_MAX })
  sequence!: number;

  @PatternQuery(FEED_CURSOR_PATTERN, 'must be a cursor of a feed')
  cursor!: string;
}

/** Every other line: what the store has of an item. */
class BalanceLine {
  @IdField()
  sku!: string;

  @QuantityField({ min: -BALANCE_MAX, max: BALANCE_MAX })
  onHand!: number;
}

/** Reads the whole balance of a store. One wrong line makes all of it wrong: what is left out counts as none. */
export class BalanceLines implements RowFormat {
  private readonly limits: JsonLimits;
  private readonly skus = new Set<string>();
  private lines = 0;
  private first: BalanceHeader | undefined;

  /** @param depthMax how deep a line may be nested */
  constructor(depthMax: number) {
    this.limits = { depthMax, valuesMax: LINE_VALUES_MAX };
  }

  get isReady(): boolean {
    return this.first !== undefined;
  }

  /** Known once it is ready. */
  get header(): BalanceHeader {
    if (this.first === undefined) throw new Error('Bug: the header has not come yet');
    return this.first;
  }

  /** What has been named so far. */
  has(sku: string): boolean {
    return this.skus.has(sku);
  }

  /** @throws ValidationFailed */
  read(line: Line, into: RawRow[]): void {
    this.lines += 1;
    if (line instanceof LineFault) this.refuse([{ field: '', message: line.message }]);
    if (line.trim() === '') return;
    const { value, errors } = parseJsonText(line, this.limits, '');
    if (errors.length > 0) this.refuse(errors);
    const members = value as Readonly<Record<string, unknown>>;
    if (this.first === undefined) {
      this.first = this.fieldsOf(BalanceHeader, members);
      return;
    }
    const balance = this.fieldsOf(BalanceLine, members);
    if (this.skus.has(balance.sku)) this.refuse([{ field: 'sku', message: 'stands in an earlier line, too' }]);
    if (this.skus.size >= BALANCES_MAX) this.refuse([{ field: '', message: `is one of more than ${BALANCES_MAX}` }]);
    this.skus.add(balance.sku);
    into.push({ members: { sku: balance.sku, onHand: balance.onHand } });
  }

  /** @throws ValidationFailed */
  end(): void {
    if (this.first === undefined) {
      throw new ValidationFailed([{ field: 'body', message: 'has no line {epoch, sequence, cursor}' }]);
    }
  }

  private fieldsOf<T extends object>(type: new () => T, members: Readonly<Record<string, unknown>>): T {
    const read = readRowFields(type, members);
    return 'errors' in read ? this.refuse(read.errors) : read.value;
  }

  private refuse(errors: readonly FieldError[]): never {
    const line = `line ${this.lines}`;
    throw new ValidationFailed(
      errors.map(({ field, message }) => ({ field: field === '' ? line : `${line}: ${field}`, message })),
    );
  }
}

/** @param members of a row that was read here */
export function balanceOf(row: RawRow): StoreBalance {
  if ('errors' in row) throw new Error('Bug: a wrong line was refused');
  return row.members as unknown as StoreBalance;
}
