import { parseJsonText } from '../http/json-body.ts';
import { type Line, LineFault } from './lines.ts';
import { type RawRow, type RowFormat, unreadable } from './row-format.ts';

/** One JSON object a line, read as strictly as the body of any other request. */
export class NdjsonRows implements RowFormat {
  readonly isReady = true;

  /** @param depthMax how deep a row may be nested; so that a row of brackets is refused for its depth */
  constructor(private readonly depthMax: number) {}

  read(line: Line, into: RawRow[]): void {
    if (line instanceof LineFault) {
      into.push(unreadable(line.message));
      return;
    }
    if (line.trim() === '') return;
    const { value, errors } = parseJsonText(line, this.depthMax, 'row');
    into.push(errors.length > 0 ? { errors } : { members: value as Readonly<Record<string, unknown>> });
  }

  end(): void {
    // The last line needs no line feed, and nothing else is left over.
  }
}
