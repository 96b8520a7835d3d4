import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock, type Instant } from '../../../shared/kernel/clock.ts';
import type { DomainEvent } from '../../../shared/kernel/domain-event.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { FindLocation, ReportFreshness } from '../../inventory/contract.ts';
import { type OpenedStream, OpenStoreStream, StoreStreamOpened } from '../contract.ts';
import { StoreStream, type StoreStreamState } from '../domain/store-stream.ts';
import { StoreStreams } from '../storage/store-stream.repository.ts';

/** A store's agent begins a new epoch. */
@CommandHandler(OpenStoreStream)
export class OpenStoreStreamHandler implements ICommandHandler<OpenStoreStream> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly streams: StoreStreams,
  ) {}

  execute(command: OpenStoreStream): Promise<OpenedStream> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const { locationId } = command;
      await this.commands.execute(new FindLocation(locationId));
      let stream = await this.streams.find(tx, locationId);
      if (stream === undefined) stream = StoreStream.open(locationId, at);
      else stream.openNext(at);
      this.streams.save(tx, stream);
      tx.record([opened(stream.state, at)]);
      await this.commands.execute(new ReportFreshness(locationId, { contactAt: at, restarted: true }));
      const { epoch, nextSequence } = stream.state;
      return { epoch, nextSequence };
    });
  }
}

function opened({ locationId, epoch, version: subjectVersion }: StoreStreamState, occurredAt: Instant): DomainEvent {
  const { type, version } = StoreStreamOpened;
  const data = { locationId, epoch };
  return { type, version, subject: `store/${locationId}/stream`, subjectVersion, locationId, data, occurredAt };
}
