import { type CountRow, countRow } from './count-rows.ts';
import { upload } from './upload.ts';

/*
 * A process of its own that imports rows until it is told to stop, so that it takes no time of whoever measures
 * meanwhile. Arguments: the server's address, the key of its admin, the key of the
 * import, and how many different rows there are.
 */

const [, , url = '', adminKey = '', key = '', differentRows = ''] = process.argv;
let stopped = false;

function* endlessRows(): Generator<CountRow> {
  for (let n = 0; !stopped; n += 1) yield countRow(n % Number(differentRows));
}

process.once('message', () => {
  stopped = true;
});
process.once('disconnect', () => process.exit(1));

const uploaded = await upload({ url, pid: 0, adminKey }, key, endlessRows());
process.send?.(uploaded, () => process.exit(0));
