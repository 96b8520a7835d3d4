import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { emptyReads, singleReads } from '../stock.ts';

/** What looking at one stock item costs on top of the framework. */
export const readItem: Row = {
  id: 'read-item',
  measured: '`GET /v1/stock/{sku}/{locationId}`',
  reference: 'a GET through the same app with the same path and as long an answer whose handler does nothing',
  goal: { atLeast: 0.8 },
  run: (options) => onSqlite((server) => compare(server, { measured: singleReads, reference: emptyReads }, options)),
};
