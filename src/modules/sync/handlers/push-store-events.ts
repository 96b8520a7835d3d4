import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import {
  EndParkedEvents,
  type IncomingEvent,
  type PushedEvents,
  PushStoreEvents,
  ReplayLettersOfNewProducts,
  type StoreEventResult,
} from '../contract.ts';
import { INTAKE_PIECE_EVENTS, type IntakeStep, StoreIntake } from './store-intake.ts';

/** An event, and where its result stands in the answer. */
interface Pending {
  readonly event: IncomingEvent;
  readonly index: number;
}

const WAITING = `SELECT parked AS "parked" FROM store_streams
  WHERE tenant_id = :tenant AND location_id = :locationId`;

/** Takes the events of one call piece by piece, and answers when the last of them is on disk. */
@CommandHandler(PushStoreEvents)
export class PushStoreEventsHandler implements ICommandHandler<PushStoreEvents> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly reader: Reader,
    private readonly intake: StoreIntake,
  ) {}

  async execute(command: PushStoreEvents): Promise<PushedEvents> {
    const { locationId, events } = command;
    const results = new Array<StoreEventResult>(events.length);
    const unknownSkus = new Set<string>();
    let pending = inOrder(events);
    let isWaitedFor = await this.isWaitedFor(locationId);
    for (;;) {
      // Where something waits, a piece may fill a hole, and what waited has its turn before the next piece.
      const pieces = piecesOf(pending, isWaitedFor ? 1 : Infinity);
      const steps = await this.takeAll(command, pieces);
      pending = [...notTaken(pieces, steps, results), ...pending.slice(lengthOf(pieces))];
      steps.forEach((step) => {
        step.unknownSkus.forEach((sku) => unknownSkus.add(sku));
      });
      const last = steps.at(-1);
      if (last === undefined) throw new Error('Bug: a round of no pieces');
      isWaitedFor = last.stream.parked > 0;
      if (pending.length > 0 || last.due > 0) continue;
      if (unknownSkus.size > 0) await this.commands.execute(new ReplayLettersOfNewProducts([...unknownSkus]));
      if (last.stream.toEnd > 0) await this.commands.execute(new EndParkedEvents(locationId));
      const { nextSequence, holes } = last.stream;
      return { results, nextSequence, missing: holes.map(({ from, to }) => [from, to] as const) };
    }
  }

  private async isWaitedFor(locationId: string): Promise<boolean> {
    const [stream] = await this.reader.select<{ parked: number }>(WAITING, { locationId });
    return stream !== undefined && stream.parked > 0;
  }

  /** Several works, so that others have their turn in between; those that wait together share a commit. */
  private async takeAll(
    { locationId, epoch }: PushStoreEvents,
    pieces: readonly (readonly Pending[])[],
  ): Promise<IntakeStep[]> {
    const works = pieces.map((piece) => {
      const events = piece.map(({ event }) => event);
      const options = { keys: this.intake.keysOf(locationId, events), workClass: 'bulk' } as const;
      return this.unitOfWork.run(options, (tx) => this.intake.take(tx, locationId, epoch, events));
    });
    // None is left alone: when one fails, the call is answered after the others have ended.
    await Promise.allSettled(works);
    return Promise.all(works);
  }
}

/** In the order of their numbers, so that the call itself leaves no hole that it does not have to. */
function inOrder(events: readonly IncomingEvent[]): Pending[] {
  const pending = events.map((event, index) => ({ event, index }));
  return pending.sort((a, b) => a.event.sequence - b.event.sequence || a.index - b.index);
}

/** @param most pieces; there is one at least, be it empty: it has what waits to do */
function piecesOf(pending: readonly Pending[], most: number): (readonly Pending[])[] {
  const pieces = [pending.slice(0, INTAKE_PIECE_EVENTS)];
  for (let from = INTAKE_PIECE_EVENTS; from < pending.length && pieces.length < most; from += INTAKE_PIECE_EVENTS) {
    pieces.push(pending.slice(from, from + INTAKE_PIECE_EVENTS));
  }
  return pieces;
}

function lengthOf(pieces: readonly (readonly Pending[])[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Notes the results of what was taken. @returns the rest */
function notTaken(
  pieces: readonly (readonly Pending[])[],
  steps: readonly IntakeStep[],
  results: StoreEventResult[],
): Pending[] {
  return pieces.flatMap((piece, place) => {
    const taken = steps[place]?.results ?? [];
    taken.forEach((result, at) => {
      results[piece[at]?.index ?? 0] = result;
    });
    return piece.slice(taken.length);
  });
}
