import { setTimeout as delay } from 'node:timers/promises';
import { CommandBus, type ICommand } from '@nestjs/cqrs';
import { brokenRules } from '../../../scripts/audit/audit.ts';
import { withSnapshot } from '../../../scripts/audit/snapshot.ts';
import { DomainError } from '../../../src/shared/kernel/domain-error.ts';
import { Sweeper } from '../../../src/modules/reservation/sweeper.ts';
import { WriteDoor } from '../../../src/shared/http/write-door.ts';
import { Relay } from '../../../src/shared/outbox/relay.ts';
import { PersistedTables } from '../../../src/shared/persistence/persisted-tables.ts';
import { Reader } from '../../../src/shared/persistence/reader.ts';
import { UnitOfWork } from '../../../src/shared/persistence/unit-of-work.ts';
import { eventually } from '../../support/eventually.ts';
import { startGuardedApp } from '../../support/guarded-app.ts';
import { type Answer, faultsOfProblem } from '../../support/http.ts';
import { resultsIn } from '../../support/importing.ts';
import type { Engine } from '../../support/services.ts';
import { rowsOf } from '../../support/sql.ts';
import { StatementFaults, type StatementFault } from '../../support/statement-faults.ts';
import { type Send, SweptShop, type UseCase } from './use-case.ts';

/** What a request or a job came to. */
export type Outcome = { readonly kind: 'done'; readonly answer: Answer | null } | Failed;

interface Failed {
  readonly kind: 'failed';
  /** The code of the problem, or of the refusal that a job was ended by; `planted` for the fault itself. */
  readonly code: string;
  readonly faults: readonly string[];
}

/** A run without a fault. */
export interface Undisturbed {
  readonly statements: readonly string[];
  readonly delta: Counts;
}

/** Rows of each table, and the sums that a second effect would change. */
type Counts = Readonly<Record<string, number>>;

/** What changes by itself, or says how often something was tried. */
const NOT_COUNTED = ['consumer_cursors', 'retention_marks', 'signing_keys', 'location_freshness'];
const SUMS = {
  stock_items: ['on_hand', 'held', 'committed', 'incoming', 'safety_stock', 'version'],
  reservations: ['version'],
  transfers: ['version'],
  locations: ['version'],
  products: ['version'],
  shop_orders: ['version', 'next_version'],
  store_streams: ['next_sequence', 'epoch', 'parked', 'to_end'],
  store_policies: ['version'],
  tenants: ['version'],
};

const IDLE_MAX_MS = 20_000;
const IDLE_POLL_MS = 1;
const ANSWER_MAX_MS = 20_000;

/** Whatever module it is in. */
const ANYWHERE = { strict: false };

/** A server whose statements fail when they are told to. */
export class Sweep {
  /** Names of the commands that were carried out. */
  readonly commands = new Set<string>();

  private constructor(
    readonly shop: SweptShop,
    private readonly faults: StatementFaults,
    private readonly counting: string,
  ) {}

  static async open(engine: Engine): Promise<Sweep> {
    const guarded = await startGuardedApp(engine, {
      // What failed is tried again when the clock is moved, and never given up here.
      RELAY_ATTEMPTS_MAX: '100',
      RELAY_INTERVAL_MS: '60000',
      DATABASE_BUSY_MAX_MS: '100',
      // It has a sweep of its own (audit-faults.spec.ts), and writes when it likes.
      AUDIT: 'off',
    });
    const { app } = guarded.running;
    const tables = app.get(PersistedTables, ANYWHERE).all.map(({ name }) => name);
    const faults = StatementFaults.install(app.get(UnitOfWork, ANYWHERE), app.get(Reader, ANYWHERE));
    const sweep = new Sweep(new SweptShop(guarded), faults, countingOf(tables));
    // The bus is not one instance: what requests send goes over another one than what handlers send.
    for (const bus of [app.get(CommandBus, ANYWHERE), app.get(WriteDoor, ANYWHERE)['commandBus']]) {
      bus.subscribe((command: ICommand) => sweep.commands.add(command.constructor.name));
    }
    // By its own timer it would change what is counted; the case of the sweeper calls it.
    app.get(Sweeper, ANYWHERE)['periodic']['stopTimer']();
    return sweep;
  }

  async close(): Promise<void> {
    await this.shop.guarded.close();
  }

  async undisturbed({ prepare }: UseCase): Promise<Undisturbed> {
    const send = await prepare(this.shop);
    await this.settle();
    const before = await this.counts();
    this.faults.arm();
    const outcome = await this.attempt(send);
    await this.idle();
    const statements = [...this.faults.statements];
    await this.settle();
    if (outcome.kind === 'failed') throw new Error(`Undisturbed, it fails: ${outcome.code} ${outcome.faults.join()}`);
    return { statements, delta: difference(await this.counts(), before) };
  }

  /**
   * One run with a fault: the request, the fault lifted, everything settled, and the same request again.
   * @returns the statement that was struck first, and what is wrong
   */
  async disturbed(
    useCase: UseCase,
    { delta }: Undisturbed,
    fault: StatementFault,
  ): Promise<{ at: string; outcome: Outcome; wrong: string[] }> {
    const send = await useCase.prepare(this.shop);
    await this.settle();
    const before = await this.counts();
    this.faults.arm(fault);
    const outcome = await this.attempt(send);
    await this.idle();
    this.faults.heal();
    const at = this.faults.statements[fault.from - 1] ?? 'none';
    const wrong = outcome.kind === 'failed' ? outcome.faults.map((what) => `answered: ${what}`) : [];
    await this.settle();
    wrong.push(...(await this.brokenRules(useCase)).map((what) => `after the fault: ${what}`));
    const soFar = difference(await this.counts(), before);
    const wasDone = Object.keys(soFar).length > 0;
    if (outcome.kind === 'done' && !hasDied(useCase, soFar, delta) && !same(soFar, delta))
      wrong.push(`answered with success: ${shown(soFar)} instead of ${shown(delta)}`);

    const again = await this.attempt(send);
    await this.settle();
    const status = again.kind === 'done' ? again.answer?.status : statusIn(again);
    const isAnswered = again.kind === 'done' || (wasDone && status === useCase.doneStatus);
    if (!isAnswered) wrong.push(`repeated: ${again.code} ${again.faults.join()}`);
    wrong.push(...(await this.brokenRules(useCase)).map((what) => `after the repeat: ${what}`));
    const found = difference(await this.counts(), before);
    const extra = useCase.addsTo ?? [];
    const isOnce = hasDied(useCase, found, delta) || same(without(found, extra), without(delta, extra));
    if (!isOnce) wrong.push(`after both: ${shown(found)} instead of ${shown(delta)}`);
    return { at, outcome, wrong };
  }

  private async attempt(send: Send): Promise<Outcome> {
    try {
      const answer = await inTime(send());
      return answer === null ? { kind: 'done', answer } : outcomeOf(answer);
    } catch (error) {
      const failed = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
      if (failed instanceof DomainError) return { kind: 'failed', code: failed.code, faults: [] };
      if (failed instanceof Error && failed.message === 'planted')
        return { kind: 'failed', code: 'planted', faults: [] };
      throw error;
    }
  }

  /** The relay has nothing to do, or cannot do it. */
  private async idle(): Promise<void> {
    const relay = this.shop.app.app.get(Relay, ANYWHERE);
    const deadline = performance.now() + IDLE_MAX_MS;
    // It is woken a second time, because what the first turn did may be an event for the next.
    for (let round = 0; round < 2; round += 1) {
      relay.wake('default');
      while (!relay.isIdle) {
        if (performance.now() > deadline) throw new Error(`The relay is at work for more than ${IDLE_MAX_MS} ms`);
        await delay(IDLE_POLL_MS);
      }
    }
  }

  /** Everything that can be delivered is, whatever had failed before. */
  private async settle(): Promise<void> {
    await this.idle();
    await eventually('all is delivered', async () => {
      const [row] = await rowsOf<{ waiting: number }>(this.shop.app.databaseUrl, WAITING);
      if (Number(row?.waiting) === 0) return true;
      this.shop.clock.advanceSeconds(1);
      const relay = this.shop.app.app.get(Relay, ANYWHERE);
      await relay.look();
      await this.idle();
      return false;
    });
  }

  private async brokenRules({ purges = false }: UseCase): Promise<string[]> {
    if (purges) return [];
    return withSnapshot(this.shop.app.databaseUrl, (snapshot) => brokenRules(snapshot, this.shop.clock.now()));
  }

  private async counts(): Promise<Counts> {
    const rows = await rowsOf<{ name: string; value: number | string }>(this.shop.app.databaseUrl, this.counting);
    return Object.fromEntries(rows.map(({ name, value }) => [name, Number(value)]));
  }
}

/** @throws Error when nothing comes: a clean answer is one that is given */
async function inTime<T>(outcome: Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_MAX_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error(`No answer within ${ANSWER_MAX_MS} ms`));
    });
  });
  return Promise.race([outcome, late]);
}

const WAITING = `SELECT (SELECT COUNT(*) FROM set_aside_events) + (SELECT COUNT(*) FROM dead_letters AS d JOIN products AS p
  ON p.tenant_id = d.tenant_id AND d.waits_for = 'product/' || p.sku WHERE d.status = 'DEAD') AS waiting`;

function countingOf(tables: readonly string[]): string {
  const rows = [...tables, 'outbox_events']
    .filter((table) => !NOT_COUNTED.includes(table))
    .map((table) => `SELECT '${table}' AS name, COUNT(*) AS value FROM ${table}`);
  const sums = Object.entries(SUMS).flatMap(([table, columns]) =>
    columns.map((column) => `SELECT '${table}.${column}', COALESCE(SUM(${column}), 0) FROM ${table}`),
  );
  const open = `SELECT 'dead_letters, open', COUNT(*) FROM dead_letters WHERE status = 'DEAD'`;
  return [...new Set([...rows, ...sums, open])].join(' UNION ALL ');
}

/** The answer says so of each event. */
function hasDied({ mayDie = false }: UseCase, found: Counts, delta: Counts): boolean {
  const letters = (counts: Counts): number => counts['dead_letters, open'] ?? 0;
  return mayDie && letters(found) > letters(delta);
}

/** An answer in rows has its status before it is known how it ends: the last row says so. */
function outcomeOf(answer: Answer): Outcome {
  const isRows = answer.status === 200 && (answer.headers['content-type'] ?? '').includes('ndjson');
  const { error } = isRows ? resultsIn(answer.text) : { error: undefined };
  if (error !== undefined) return { kind: 'failed', code: error.code, faults: [] };
  if (answer.status < 400) return { kind: 'done', answer };
  const { code = 'none' } = (answer.body ?? {}) as { code?: string };
  const faults = faultsOfProblem(answer, answer.status, code);
  const retryAfter = Number(answer.headers['retry-after']);
  if (answer.status === 503 && !(retryAfter >= 1)) faults.push(`503 with Retry-After ${retryAfter}`);
  if (![500, 503].includes(answer.status)) faults.push(`${answer.status} ${answer.text}`);
  return { kind: 'failed', code: `${answer.status} ${code}`, faults };
}

function statusIn({ code }: Failed): number {
  return Number(code.split(' ')[0]);
}

function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );
}

function without(counts: Counts, tables: readonly string[]): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !tables.includes(name.split('.')[0] ?? '')));
}

function same(one: Counts, other: Counts): boolean {
  return shown(one) === shown(other);
}

function shown(counts: Counts): string {
  return JSON.stringify(Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b))));
}
