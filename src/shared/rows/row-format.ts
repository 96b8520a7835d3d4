import type { FieldError } from '../http/http-error.ts';
import type { Line } from './lines.ts';

/** One row as it came: its members by name, or why it cannot be read. */
export type RawRow =
  { readonly members: Readonly<Record<string, unknown>> } | { readonly errors: readonly FieldError[] };

/** Makes rows of lines. Blank lines are no rows. */
export interface RowFormat {
  /** False while what has to come before the rows (the header of a CSV) has not come. */
  readonly isReady: boolean;
  /**
   * @param into where the rows go that are complete with this line
   * @throws ValidationFailed when the line is none that rows can follow
   */
  read(line: Line, into: RawRow[]): void;
  /** @throws ValidationFailed when it ends before it has begun */
  end(into: RawRow[]): void;
}

/** The name under which a fault tells of a row as a whole. */
const WHOLE_ROW = 'row';

export function unreadable(message: string): RawRow {
  return { errors: [{ field: WHOLE_ROW, message }] };
}
