import { createApp } from '../src/app.ts';
import { readSettings } from '../src/shared/settings.ts';
import { DrainModule } from './drain.ts';
import { EmptyModule } from './empty.controller.ts';
import { RelayModule } from './relay.ts';

/*
 * The server of the bench: the application as it is, with one route more and, with BENCH_RELAY=1 or BENCH_DRAIN=<events>, one
 * reaction. It tells its address to the process that forked it and ends with it.
 */

const parts = [
  EmptyModule,
  ...(process.env['BENCH_RELAY'] === '1' ? [RelayModule] : []),
  ...(process.env['BENCH_DRAIN'] === undefined ? [] : [DrainModule]),
];
const app = await createApp(readSettings(process.env), parts);

async function stop(): Promise<void> {
  await app.close();
  process.exit(0);
}

process.once('SIGTERM', () => void stop());
process.once('disconnect', () => void stop());
await app.listen(0, '127.0.0.1');
process.send?.({ url: await app.getUrl() });
