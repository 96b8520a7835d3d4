import { IdField } from '../../shared/http/fields.ts';
import type { FieldError } from '../../shared/http/http-error.ts';
import { readRowFields } from '../../shared/http/validation.ts';
import type { CsvShape } from '../../shared/rows/csv-rows.ts';
import type { RawRow } from '../../shared/rows/row-format.ts';
import type { ImportedRow, RowOutcome } from './contract.ts';
import { CountRequest, RecordMovementRequest } from './inventory.dto.ts';

// ---------------------------------------------------------------- rows in

/** A count as a row: what the path and the body of a count hold. */
export class CountRow extends CountRequest {
  @IdField({ description: 'The product, as the chain names it.', example: 'MUG-RED' })
  sku!: string;

  @IdField({ description: 'The location, as the chain names it.', example: 'S1' })
  locationId!: string;
}

/** A movement as a row: what the path and the body of a movement hold. */
export class MovementRow extends RecordMovementRequest {
  @IdField({ description: 'The product, as the chain names it.', example: 'MUG-RED' })
  sku!: string;

  @IdField({ description: 'The location, as the chain names it.', example: 'S1' })
  locationId!: string;
}

export const IMPORT_CSV: CsvShape = {
  variants: [
    { required: ['sku', 'locationId', 'counted'], optional: ['reason'] },
    { required: ['sku', 'locationId', 'type', 'quantity'], optional: ['reason', 'reference'] },
  ],
  numbers: new Set(['counted', 'quantity']),
};

/** @returns the row, or what is wrong with it; a row with `counted` is a count, any other a movement */
export function readImportedRow(
  raw: RawRow,
): { readonly value: ImportedRow } | { readonly errors: readonly FieldError[] } {
  if ('errors' in raw) return raw;
  const { members } = raw;
  if (Object.hasOwn(members, 'counted')) return readRowFields(CountRow, members);
  if (Object.hasOwn(members, 'type') || Object.hasOwn(members, 'quantity')) return readRowFields(MovementRow, members);
  return { errors: [{ field: 'row', message: 'needs counted, or type and quantity' }] };
}

// ---------------------------------------------------------------- results out

/** Most errors told of one row; it has six fields. */
const ROW_ERRORS_MAX = 20;

/** How many rows came to which end. */
export interface ImportTally {
  applied: number;
  duplicate: number;
  refused: number;
}

/** One line of the answer. A refused row has the members that its problem document would have, HTTP's own left out. */
export function toResultLine(row: number, outcome: RowOutcome): string {
  if (outcome.outcome !== 'refused') return `{"row":${row},"outcome":"${outcome.outcome}"}\n`;
  const { code, detail, data } = outcome;
  return `${JSON.stringify({ row, outcome: 'refused', code, detail, ...data })}\n`;
}

export function toInvalid(errors: readonly FieldError[]): RowOutcome {
  const [first] = errors;
  const detail =
    errors.length === 1 && first !== undefined
      ? `${first.field} ${first.message}`
      : `${errors.length} things are wrong with the row; errors lists them`;
  return {
    outcome: 'refused',
    code: 'VALIDATION_FAILED',
    detail,
    data: { errors: errors.slice(0, ROW_ERRORS_MAX) },
  };
}

export function toSummaryLine({ applied, duplicate, refused }: ImportTally): string {
  const rows = applied + duplicate + refused;
  return `${JSON.stringify({ summary: { rows, applied, duplicate, refused } })}\n`;
}
