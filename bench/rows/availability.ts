import { compare } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { categoryPages, PAGE_SKUS, singleReads } from '../stock.ts';

/** What a whole category page costs, compared with one of the reads that it spares. */
export const availability: Row = {
  id: 'availability',
  measured: `CPU of \`POST /v1/availability\` with ${PAGE_SKUS} skus`,
  reference: 'CPU of one `GET /v1/stock/{sku}/{locationId}`',
  goal: { atMost: 5 },
  run: (options) =>
    onSqlite((server) =>
      compare(server, { measured: categoryPages, reference: singleReads }, options, 'serverCpuMicros'),
    ),
};
