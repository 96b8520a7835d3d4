import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { EndParkedEvents, storeStreamKey } from '../contract.ts';
import { StoreStreams } from '../storage/store-stream.repository.ts';
import { INTAKE_PIECE_EVENTS } from './store-intake.ts';
import { StoreLetters } from './store-letters.ts';

/** What an older epoch had parked can never have its turn: it becomes dead letters. */
@CommandHandler(EndParkedEvents)
export class EndParkedEventsHandler implements ICommandHandler<EndParkedEvents> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly streams: StoreStreams,
    private readonly letters: StoreLetters,
  ) {}

  async execute({ locationId }: EndParkedEvents): Promise<void> {
    while (await this.endSome(locationId));
  }

  /** @returns whether there may be more */
  private endSome(locationId: string): Promise<boolean> {
    const options = { keys: [storeStreamKey(locationId)], workClass: 'bulk' } as const;
    return this.unitOfWork.run(options, async (tx) => {
      const stream = await this.streams.find(tx, locationId);
      if (stream === undefined || stream.state.toEnd === 0) return false;
      const { epoch, toEnd } = stream.state;
      const left = await this.streams.leftParked(tx, locationId, epoch, INTAKE_PIECE_EVENTS);
      for (const row of left) {
        this.streams.die(tx, row, 'ENDED');
        if (row.content !== null) this.letters.bury(tx, row, row.content, endedIn(row.epoch));
      }
      // None left although some were counted: a bug of ours must not make every call look for them again.
      stream.ended(left.length === 0 ? toEnd : left.length);
      this.streams.save(tx, stream);
      return stream.state.toEnd > 0;
    });
  }
}

function endedIn(epoch: number): { code: string; detail: string; waitsFor: null } {
  const detail = `It waited in epoch ${epoch} for events before it when the store began a new epoch`;
  return { code: 'EPOCH_ENDED', detail, waitsFor: null };
}
