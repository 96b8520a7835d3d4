import { ROWS } from './rows.ts';
import type { RowOrder, RowReport } from './row-runs.ts';

/* The process of one row: is told which, runs it, tells what came out. */

function tell(report: RowReport): Promise<void> {
  return new Promise((told) => {
    process.send?.(report, () => {
      told();
    });
  });
}

async function run({ id, sizes }: RowOrder): Promise<RowReport> {
  const row = ROWS.find((one) => one.id === id);
  try {
    if (row === undefined) throw new Error(`There is no row ${id}`);
    const say = (line: string): void => void tell({ line });
    return { result: await row.run({ ...sizes, say }) };
  } catch (error) {
    console.error(error);
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

process.once('message', (order: RowOrder) => {
  void run(order)
    .then(tell)
    .then(() => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
