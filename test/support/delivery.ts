import { Logger } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { StockPolicyChanged } from '../../src/modules/inventory/contract.ts';
import type { LocationState } from '../../src/modules/inventory/domain/location.ts';
import { locationsTable } from '../../src/modules/inventory/storage/location.table.ts';
import { RetentionMarks } from '../../src/shared/housekeeping/retention-marks.ts';
import type { Upcaster } from '../../src/shared/kernel/domain-event.ts';
import type { EntityKey } from '../../src/shared/kernel/entity-key.ts';
import { UuidV7Ids } from '../../src/shared/kernel/ids.ts';
import { SystemPace } from '../../src/shared/kernel/pace.ts';
import { ConsumerCursors } from '../../src/shared/outbox/consumer-cursors.ts';
import { DeadLetters } from '../../src/shared/outbox/dead-letters.ts';
import { Delivery } from '../../src/shared/outbox/delivery.ts';
import { Dispatch } from '../../src/shared/outbox/dispatch.ts';
import { LogReader } from '../../src/shared/outbox/log-reader.ts';
import { LogWatch } from '../../src/shared/outbox/log-watch.ts';
import { ReactionReplayer } from '../../src/shared/outbox/reaction-replayer.ts';
import { type Reaction, ReactsTo } from '../../src/shared/outbox/reaction.ts';
import { RecentEvents } from '../../src/shared/outbox/recent-events.ts';
import { Relay } from '../../src/shared/outbox/relay.ts';
import { Replays } from '../../src/shared/outbox/replays.ts';
import { RetryPolicy } from '../../src/shared/outbox/retry-policy.ts';
import { SetAside } from '../../src/shared/outbox/set-aside.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';
import { Upcasting } from '../../src/shared/outbox/upcasting.ts';
import { Views } from '../../src/shared/outbox/views.ts';
import type { Transaction } from '../../src/shared/persistence/transaction.ts';
import { readSettings } from '../../src/shared/settings.ts';
import { eventually } from './eventually.ts';
import { TestClock } from './test-clock.ts';
import { asTenant, openWritePath, type WritePath, type WritePathOptions } from './write-path.ts';

// Handlers fail here on purpose; each failure would be a page of stack in the output.
Logger.overrideLogger(false);

/** Writes down what it gets, in the transaction in which it gets it: per subject the versions in order of arrival. */
@ReactsTo({ consumer: 'test.notes', events: [StockPolicyChanged] })
export class Notes implements Reaction {
  constructor(
    /** It passes over what belongs to others: a database may hold what tests before have left. */
    private readonly tenantId: string,
  ) {}

  /** Every call of the handler, those included that came to nothing. */
  readonly calls: string[] = [];
  /** What to throw for an event; undefined lets it pass. */
  fail: (event: StoredEvent) => unknown = () => undefined;
  /** What to do besides; it may wait. */
  meanwhile: (event: StoredEvent, tx: Transaction) => Promise<unknown> | void = () => undefined;

  keysOf({ subject }: StoredEvent): EntityKey[] {
    return [{ table: locationsTable.name, values: [noteOf(subject)] }];
  }

  async handle(event: StoredEvent, tx: Transaction): Promise<void> {
    if (tx.tenantId !== this.tenantId) return;
    this.calls.push(labelOf(event));
    const { subject, subjectVersion } = event;
    const id = noteOf(subject);
    const noted = await tx.get(locationsTable, id);
    await tx.put(locationsTable, {
      ...(noted ?? anEmptyNote(id)),
      name: `${noted?.name ?? ''}${subjectVersion} `,
      version: (noted?.version ?? 0) + 1,
    });
    await this.meanwhile(event, tx);
    const error = this.fail(event);
    // Whatever a handler can throw has to be borne.
    if (error !== undefined) throw error as Error;
  }
}

export function labelOf({ subject, subjectVersion }: Pick<StoredEvent, 'subject' | 'subjectVersion'>): string {
  return `${subject}@${subjectVersion}`;
}

function noteOf(subject: string): string {
  return `note.${subject}`;
}

function anEmptyNote(locationId: string): LocationState {
  return {
    locationId,
    name: '',
    kind: 'STORE',
    priority: 0,
    sellsOnline: true,
    createdAt: 0,
    updatedAt: 0,
    version: 0,
  };
}

export interface RelayOptions extends WritePathOptions {
  readonly tenantId: string;
  readonly reactions?: readonly Reaction[];
  readonly clock?: TestClock;
  readonly upcasters?: readonly Upcaster[];
}

/** The delivery of one server, put together without the rest of the application. */
export class TestRelay {
  readonly relay: Relay;
  readonly watch: LogWatch;
  readonly deadLetters: DeadLetters;
  readonly replays: Replays;
  readonly cursors: ConsumerCursors;
  readonly log: LogReader;

  private constructor(
    readonly path: WritePath,
    readonly tenantId: string,
    readonly clock: TestClock,
    environment: Record<string, string>,
    { reactions = [], events = [StockPolicyChanged], upcasters = [] }: RelayOptions,
  ) {
    const settings = readSettings({ RELAY_INTERVAL_MS: '60000', ...environment });
    const { unitOfWork, reader, metrics } = path;
    const ids = new UuidV7Ids();
    const pace = new SystemPace();
    const found = reactions.map((instance) => ({ metatype: instance.constructor, instance }));
    const discovery = { getProviders: () => found } as unknown as DiscoveryService;
    const dispatch = new Dispatch(discovery, unitOfWork, new Upcasting(events, upcasters));
    this.log = new LogReader(reader, new RecentEvents(unitOfWork, pace));
    this.cursors = new ConsumerCursors(unitOfWork, reader, this.log, dispatch, new RetentionMarks(reader), clock);
    this.deadLetters = new DeadLetters(reader, clock, ids);
    const policy = new RetryPolicy(
      {
        attemptsMax: settings.relayAttemptsMax,
        firstMs: settings.relayBackoffFirstMs,
        maxMs: settings.relayBackoffMaxMs,
      },
      () => 0.999,
    );
    const setAside = new SetAside(policy, this.deadLetters, clock);
    const delivery = new Delivery(unitOfWork, reader, this.cursors, dispatch, setAside, policy, metrics, clock);
    this.watch = new LogWatch(unitOfWork, this.log, settings, pace);
    this.relay = new Relay(dispatch, delivery, this.cursors, this.log, this.watch, ids, settings, pace);
    this.replays = new Replays(discovery, unitOfWork, this.deadLetters, new Views(discovery));
    dispatch.onModuleInit();
    new ReactionReplayer(dispatch, this.cursors, setAside, this.relay, this.replays).onModuleInit();
  }

  /** Opens the database; nothing is delivered before `start`. */
  static async open(url: string, options: RelayOptions): Promise<TestRelay> {
    const path = await openWritePath(url, options);
    return new TestRelay(path, options.tenantId, options.clock ?? new TestClock(), options.environment ?? {}, options);
  }

  start(): void {
    this.relay.onApplicationBootstrap();
    this.watch.onApplicationBootstrap();
    this.relay.start();
  }

  async close(): Promise<void> {
    await this.watch.onModuleDestroy();
    await this.relay.onModuleDestroy();
    await this.path.close();
  }

  /** Records an event for each label `subject@version`, all in one commit. */
  async publish(...labels: readonly string[]): Promise<void> {
    await asTenant(this.tenantId, () =>
      this.path.unitOfWork.run({ keys: [] }, (tx) => {
        tx.record(labels.map(anEvent));
        return Promise.resolve();
      }),
    );
  }

  /** The versions that were noted of a subject, in order of their arrival. */
  async noted(subject: string): Promise<string> {
    const [row] = await asTenant(this.tenantId, () =>
      this.path.reader.select<{ name: string }>(
        'SELECT name AS "name" FROM locations WHERE tenant_id = :tenant AND location_id = :id',
        { id: noteOf(subject) },
      ),
    );
    return (row?.name ?? '').trim();
  }

  /** Waits until the versions that were noted of a subject are these. */
  async untilNoted(subject: string, versions: string): Promise<void> {
    let noted = '';
    await eventually(`${subject} has got ${versions}`, async () => {
      noted = await this.noted(subject);
      return noted === versions;
    }).catch((error: unknown) => {
      throw new Error(`${subject} has got "${noted}" instead of "${versions}"`, { cause: error });
    });
  }

  /** What is set aside: `subject: events/attempts`, with `dead` where an operator has to decide. */
  async blocked(): Promise<string[]> {
    const rows = await asTenant(this.tenantId, () =>
      this.path.reader.select<{ subject: string; events: number; attempts: number; deadLetterId: string | null }>(
        `SELECT subject AS "subject", events AS "events", attempts AS "attempts", dead_letter_id AS "deadLetterId"
         FROM blocked_subjects WHERE tenant_id = :tenant ORDER BY subject`,
      ),
    );
    return rows.map(
      ({ subject, events, attempts, deadLetterId }) =>
        `${subject}: ${events}/${attempts}${deadLetterId === null ? '' : ' dead'}`,
    );
  }

  /** Wakes the consumer a few times and waits until it has nothing to do, or cannot do it. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.relay.wake(this.tenantId);
      await eventually('the relay has nothing to do', () => Promise.resolve(this.relay.isIdle));
    }
  }

  /** Moves the clock past every pause and looks for what is due. */
  async retryNow(seconds = 3_600): Promise<void> {
    this.clock.advanceSeconds(seconds);
    await this.relay.look();
  }
}

/** @param label `subject@version` */
export function anEvent(label: string): Parameters<Transaction['record']>[0][number] {
  const [subject = '', version] = label.split('@');
  const stock = { onHand: 0, held: 0, committed: 0, incoming: 0, safetyStock: 0, available: 0 };
  return {
    type: StockPolicyChanged.type,
    version: StockPolicyChanged.version,
    subject,
    subjectVersion: Number(version),
    locationId: 'L',
    data: { sku: 'A', locationId: 'L', safetyStock: Number(version), lowStockThreshold: null, stock },
    occurredAt: 0,
  };
}
