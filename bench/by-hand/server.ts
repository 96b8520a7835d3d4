import fastify from 'fastify';
import { LOCATION, SKUS, skuOf } from '../stock.ts';
import { ReservationsByHand, type Wanted } from './reservations.ts';

/*
 * The reference server: Fastify and better-sqlite3, the rows of a reservation, the same group commit, and nothing else. No
 * validation, no keys of callers, no log, no metrics, no refusals but one. It tells its address to the process that forked it.
 */

/** As the unit of work gathers: while each turn of the event loop brings more, at most this long. */
const GATHER_MAX_MS = 10;
const BATCH_WORKS_MAX = 256;
const UNITS = 1_000_000;

interface Work {
  readonly wanted: Wanted;
  readonly key: string;
  readonly resolve: (answer: string | null) => void;
  readonly reject: (error: unknown) => void;
}

const stock = Array.from({ length: SKUS }, (_, n) => [skuOf(n), LOCATION, UNITS] as const);
const reservations = await ReservationsByHand.open(process.env['BENCH_FILE'] ?? '', stock);
let queue: Work[] = [];
let gathering = false;

function enqueue(wanted: Wanted, key: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    queue.push({ wanted, key, resolve, reject });
    if (!gathering) {
      gathering = true;
      gather(0, performance.now() + GATHER_MAX_MS);
    }
  });
}

function gather(before: number, deadline: number): void {
  setImmediate(() => {
    const more = queue.length > before && queue.length < BATCH_WORKS_MAX && performance.now() < deadline;
    if (more) gather(queue.length, deadline);
    else runBatch();
  });
}

function runBatch(): void {
  gathering = false;
  const works = queue;
  queue = [];
  try {
    reservations.begin();
    const answers = works.map(({ wanted, key }) => reservations.create(wanted, key, JSON.stringify(wanted)));
    reservations.commit();
    works.forEach(({ resolve }, index) => {
      resolve(answers[index] ?? null);
    });
  } catch (error) {
    works.forEach(({ reject }) => {
      reject(error);
    });
  }
}

const app = fastify({ logger: false });
app.post('/v1/reservations', async (request, reply) => {
  const answer = await enqueue(request.body as Wanted, String(request.headers['idempotency-key']));
  if (answer === null) return reply.code(409).send();
  return reply.code(201).type('application/json; charset=utf-8').send(answer);
});
/** What is left of it without the rows: for whoever wants to know. */
app.post('/v1/bench/empty', () => '{}');

async function stop(): Promise<void> {
  await app.close();
  reservations.close();
  process.exit(0);
}

process.once('SIGTERM', () => void stop());
process.once('disconnect', () => void stop());
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.send?.({ url });
