import { type JsonLimits, parseJsonText } from '../http/json-body.ts';
import { type Line, LineFault } from './lines.ts';
import { type RawRow, type RowFormat, unreadable } from './row-format.ts';

/** Most values of a row; a right one has far fewer, and each that is not known is told of. */
const ROW_VALUES_MAX = 100;

/** One JSON object a line, read as strictly as the body of any other request. */
export class NdjsonRows implements RowFormat {
  readonly isReady = true;

  private readonly limits: JsonLimits;

  /** @param depthMax how deep a row may be nested */
  constructor(depthMax: number) {
    this.limits = { depthMax, valuesMax: ROW_VALUES_MAX };
  }

  read(line: Line, into: RawRow[]): void {
    if (line instanceof LineFault) {
      into.push(unreadable(line.message));
      return;
    }
    if (line.trim() === '') return;
    const { value, errors } = parseJsonText(line, this.limits, 'row');
    into.push(errors.length > 0 ? { errors } : { members: value as Readonly<Record<string, unknown>> });
  }

  end(): void {
    // The last line needs no line feed, and nothing else is left over.
  }
}
