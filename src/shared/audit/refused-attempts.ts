import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { accessEvent, AttemptsRefused } from '../access/events.ts';
import { Periodic } from '../housekeeping/periodic.ts';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { networkOf } from '../http/client-address.ts';
import { Clock, type Instant, toIsoInstant } from '../kernel/clock.ts';
import { type Context, runInContext } from '../kernel/context.ts';
import { Metrics, type RefusalReason } from '../operations/metrics.ts';
import { onRequestEnd } from '../operations/request-end.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';

const MINUTE_MS = 60_000;
/** How soon after its end a minute is stored, at the latest, in milliseconds. */
const LOOK_EVERY_MS = 2_000;
/** Minutes that wait while the database is away; those before them are forgotten, with a line in the log. */
const MINUTES_MAX = 60;

const REASONS: ReadonlyMap<number, RefusalReason> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [429, 'rate_limited'],
]);

const TENANT = `SELECT 1 AS "there" FROM tenants WHERE tenant_id = '${NO_TENANT}' AND id = :id`;

/** Refusals of one key at one address (of IPv6: one network, all of which one client may have), or of all that are not told apart. */
interface Group {
  /** Whose they are, and the last request of them: the log has a line for it. */
  context: Context;
  readonly others: boolean;
  readonly counts: Record<RefusalReason, number>;
}

interface Minute {
  readonly number: number;
  readonly groups: Map<string, Group>;
  /** Groups that are told apart. */
  told: number;
}

/**
 * Counts what was refused, per key and address and minute, and stores each count as an event when its minute is over. So
 * what a caller can store by being refused is bounded: one event a minute for each of a bounded number of keys and
 * addresses, and one more for each tenant whose others were too many.
 */
@Injectable()
export class RefusedAttempts implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RefusedAttempts.name);
  private readonly minutes: Minute[] = [];
  private readonly periodic: Periodic;
  private storing: Promise<void> = Promise.resolve();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {
    this.periodic = new Periodic(RefusedAttempts.name, LOOK_EVERY_MS, () => this.storeUntil(this.clock.now()));
  }

  /** Follows every request of the app. See `onRequestEnd` for when to call it. */
  watch(fastify: FastifyInstance): void {
    onRequestEnd(fastify, ({ status, context }) => {
      const reason = REASONS.get(status);
      if (reason !== undefined && context !== undefined) this.count(reason, context);
    });
  }

  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  /** What was counted so far is stored, although its minute is not over. */
  async onModuleDestroy(): Promise<void> {
    await this.periodic.stop();
    await this.storeUntil(Number.MAX_SAFE_INTEGER);
  }

  count(reason: RefusalReason, context: Context): void {
    // That nobody in particular asked for something that there is not says nothing.
    if (reason === 'not_found' && context.keyId == null) return;
    this.metrics.countRefusedAttempt(reason);
    if (this.settings.audit === 'off') return;
    const group = this.groupOf(this.minuteOf(this.clock.now()), context);
    group.counts[reason] += 1;
    if (!group.others) group.context = context;
  }

  /**
   * Stores every minute that is over by then, one look after the other: two at a time would store the same counts. Never
   * throws: what cannot be stored waits for the next look.
   */
  storeUntil(at: Instant): Promise<void> {
    this.storing = this.storing.then(() => this.storeOver(at));
    return this.storing;
  }

  private async storeOver(at: Instant): Promise<void> {
    const over = this.minutes.filter(({ number }) => (number + 1) * MINUTE_MS <= at);
    for (const minute of over) {
      for (const [key, group] of minute.groups) {
        try {
          await this.store(minute.number, group);
          minute.groups.delete(key);
        } catch (error) {
          this.logger.warn({ err: error }, 'Refused attempts could not be stored; trying again');
          return;
        }
      }
      this.minutes.splice(this.minutes.indexOf(minute), 1);
    }
  }

  private minuteOf(now: Instant): Minute {
    const number = Math.floor(now / MINUTE_MS);
    const last = this.minutes.at(-1);
    if (last?.number === number) return last;
    const minute = { number, groups: new Map<string, Group>(), told: 0 };
    this.minutes.push(minute);
    if (this.minutes.length > MINUTES_MAX) {
      this.minutes.shift();
      this.logger.error('Refused attempts of a minute are forgotten: they could not be stored for an hour');
    }
    return minute;
  }

  private groupOf(minute: Minute, context: Context): Group {
    const { tenantId, keyId = null, address = null } = context;
    const own = `${tenantId} ${keyId ?? ''} ${address === null ? '' : networkOf(address)}`;
    const known = minute.groups.get(own);
    if (known !== undefined) return known;
    if (minute.told < this.settings.auditRefusedGroupsMax) {
      minute.told += 1;
      return this.begin(minute, own, { context, others: false });
    }
    const others = { ...context, clientId: 'others', keyId: null, address: null };
    return minute.groups.get(tenantId) ?? this.begin(minute, tenantId, { context: others, others: true });
  }

  private begin(minute: Minute, key: string, group: Omit<Group, 'counts'>): Group {
    const begun = { ...group, counts: { unauthenticated: 0, forbidden: 0, not_found: 0, rate_limited: 0 } };
    minute.groups.set(key, begun);
    return begun;
  }

  private async store(minute: number, { context, others, counts }: Group): Promise<void> {
    const { keyId = null, address = null } = context;
    const subject = `attempts/${keyId ?? address ?? 'others'}`;
    const begin = minute * MINUTE_MS;
    const { unauthenticated, forbidden, not_found: notFound, rate_limited: rateLimited } = counts;
    const data = { minute: toIsoInstant(begin), others, unauthenticated, forbidden, notFound, rateLimited };
    const { tenantId, clientId, correlationId } = context;
    const who = { tenantId, clientId, keyId, address, correlationId, traceparent: null };
    await runInContext(who, () =>
      this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
        // Of a tenant that was erased meanwhile nothing is to be left.
        if (tenantId !== NO_TENANT && (await tx.selectAcrossTenants(TENANT, { id: tenantId })).length === 0) return;
        const at = Math.min(this.clock.now(), begin + MINUTE_MS - 1);
        tx.record([accessEvent(AttemptsRefused, subject, minute, data, at)]);
      }),
    );
  }
}
