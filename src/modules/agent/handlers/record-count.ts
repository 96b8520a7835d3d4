import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { RecordCountHere, type Recorded } from '../contract.ts';
import { Shelf } from '../storage/shelf.repository.ts';
import { Recorder, toShelfView } from './recorder.ts';

/**
 * Records what was counted. The event says which changes of the centre the shelf had when it was counted, so that later
 * ones still count on top; before the shelf has settled, it waits for its cursor.
 */
@CommandHandler(RecordCountHere)
export class RecordCountHandler implements ICommandHandler<RecordCountHere> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly shelf: Shelf,
    private readonly recorder: Recorder,
  ) {}

  execute(command: RecordCountHere): Promise<Recorded> {
    const { sku, counted, reference } = command;
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const item = await this.shelf.item(tx, sku);
      const delta = item.count(counted, at);
      this.shelf.save(tx, item);
      const { countCursor } = await this.recorder.stream(tx);
      const data = { sku, counted, ...(countCursor === null ? {} : { cursor: countCursor }) };
      const fact = { type: 'count', sku, data, reference, delta, awaitsCursor: countCursor === null } as const;
      const { id } = await this.recorder.record(tx, fact, at);
      return { eventId: id, stock: toShelfView(item) };
    });
  }
}
