import { join } from 'node:path';
import { inTurn } from '../compare.ts';
import { onSqlite } from '../on-sqlite.ts';
import type { Row } from '../row.ts';
import { startByHand } from '../server-process.ts';
import { spreadReservations } from '../stock.ts';
import { summarise } from '../summary.ts';
import { withFolder } from '../with-folder.ts';

/** What everything costs that is not the rows themselves. */
export const createByHand: Row = {
  id: 'create-by-hand',
  measured:
    'create reservation, 1 line, spread over 1,000 skus, SQLite `synchronous=FULL`, with `AUTH=on` and a reaction',
  reference: 'Fastify and better-sqlite3 by hand: the same rows, the same group commit, nothing else',
  goal: { atLeast: 0.5 },
  run: (options) =>
    onSqlite((server) =>
      withFolder(async (folder) => {
        const byHand = await startByHand(join(folder, 'by-hand.sqlite'));
        try {
          const done = await inTurn(
            {
              reference: { name: 'by hand', target: byHand, workload: spreadReservations },
              measured: { name: 'Holdfast', target: server, workload: spreadReservations },
            },
            options,
          );
          return summarise(done.measured, done.reference);
        } finally {
          await byHand.stop();
        }
      }),
    ),
};
