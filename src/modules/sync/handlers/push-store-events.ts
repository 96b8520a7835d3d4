import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import {
  EndParkedEvents,
  type IncomingEvent,
  type PushedEvents,
  PushStoreEvents,
  ReplayLettersOfNewProducts,
  type StoreEventResult,
} from '../contract.ts';
import { INTAKE_PIECE_EVENTS, StoreIntake } from './store-intake.ts';

/** Takes the events of one call piece by piece, and answers when the last of them is on disk. */
@CommandHandler(PushStoreEvents)
export class PushStoreEventsHandler implements ICommandHandler<PushStoreEvents> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly intake: StoreIntake,
  ) {}

  async execute({ locationId, epoch, events }: PushStoreEvents): Promise<PushedEvents> {
    // In the order of their numbers, so that the call itself leaves no hole that it does not have to.
    const order = [...events.keys()].sort((a, b) => numberOf(events[a]) - numberOf(events[b]) || a - b);
    const sorted = order.map((index) => events[index]).filter((event) => event !== undefined);
    const results = new Array<StoreEventResult>(events.length);
    const unknownSkus = new Set<string>();
    for (let done = 0; ;) {
      const piece = sorted.slice(done, done + INTAKE_PIECE_EVENTS);
      const options = { keys: this.intake.keysOf(locationId, piece), workClass: 'bulk' } as const;
      const step = await this.unitOfWork.run(options, (tx) => this.intake.take(tx, locationId, epoch, piece));
      for (const result of step.results) {
        results[order[done] ?? 0] = result;
        done += 1;
      }
      step.unknownSkus.forEach((sku) => unknownSkus.add(sku));
      if (done < sorted.length || step.due > 0) continue;
      if (unknownSkus.size > 0) await this.commands.execute(new ReplayLettersOfNewProducts([...unknownSkus]));
      if (step.stream.toEnd > 0) await this.commands.execute(new EndParkedEvents(locationId));
      const { nextSequence, holes } = step.stream;
      return { results, nextSequence, missing: holes.map(({ from, to }) => [from, to] as const) };
    }
  }
}

function numberOf(event: IncomingEvent | undefined): number {
  return event?.sequence ?? 0;
}
