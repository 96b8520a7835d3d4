import { Injectable } from '@nestjs/common';
import { currentContext } from '../kernel/context.ts';
import { Pace } from '../kernel/pace.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import type { LoggedEvent } from './stored-event.ts';

/** How long an event is handed on from memory, in milliseconds. Whoever comes later reads the log. */
const KEPT_MS = 1_000;
/** What is kept at most: events, and characters of their data. */
const KEPT_EVENTS_MAX = 4_096;
const KEPT_CHARACTERS_MAX = 8 * 1024 * 1024;

interface Kept {
  readonly tenantId: string;
  readonly event: LoggedEvent;
  /** By Pace.elapsedMs. */
  readonly storedAt: number;
}

/**
 * The end of the event log as far as this process has written it, so that whoever follows the log need not read again what
 * was just written beside him.
 *
 * It is certain to be complete: positions are whole numbers and no two events have the same, so between neighbours there is
 * nothing. Where a number is missing (another server has written, PostgreSQL has rolled back), it begins anew behind the hole
 * (docs/decisions/0039).
 */
@Injectable()
export class RecentEvents {
  /** Of all tenants, at consecutive positions. */
  private readonly kept: Kept[] = [];
  private characters = 0;

  constructor(
    unitOfWork: UnitOfWork,
    private readonly pace: Pace,
  ) {
    unitOfWork.onEventsStored((tenantId, events) => {
      this.add(tenantId, events);
    });
    // It may have been events, of a tenant that is erased.
    unitOfWork.onPurged(() => {
      this.forgetAll();
    });
  }

  /**
   * All events of the tenant in the context behind a position of the log, in order, that this server knows to be the next.
   * @returns null when it knows of none
   */
  after(position: number): LoggedEvent[] | null {
    this.forgetOld();
    const first = this.kept[0]?.event.position;
    if (first === undefined || position < first - 1 || position >= first - 1 + this.kept.length) return null;
    const { tenantId } = currentContext();
    const found: LoggedEvent[] = [];
    for (let index = position + 1 - first; index < this.kept.length; index += 1) {
      const one = this.kept[index];
      if (one?.tenantId === tenantId) found.push(one.event);
    }
    return found.length === 0 ? null : found;
  }

  private add(tenantId: string, events: readonly LoggedEvent[]): void {
    const storedAt = this.pace.elapsedMs();
    for (const event of events) {
      const last = this.kept.at(-1)?.event.position;
      if (last !== undefined && event.position !== last + 1) this.forgetAll();
      this.kept.push({ tenantId, event, storedAt });
      this.characters += event.payload.length;
    }
    this.forgetOld();
  }

  private forgetOld(): void {
    const oldest = this.pace.elapsedMs() - KEPT_MS;
    let [count, characters] = [0, this.characters];
    for (const { event, storedAt } of this.kept) {
      const isToStay = this.kept.length - count <= KEPT_EVENTS_MAX && characters <= KEPT_CHARACTERS_MAX;
      if (isToStay && storedAt >= oldest) break;
      characters -= event.payload.length;
      count += 1;
    }
    if (count === 0) return;
    this.kept.splice(0, count);
    this.characters = characters;
  }

  private forgetAll(): void {
    this.kept.length = 0;
    this.characters = 0;
  }
}
