import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Replays } from '../../../shared/outbox/replays.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { RehearseReplay, type ReplayRehearsal } from '../contract.ts';

/** Runs the replay for its changes alone: everything is undone before the commit. */
@CommandHandler(RehearseReplay)
export class RehearseReplayHandler implements ICommandHandler<RehearseReplay> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly replays: Replays,
  ) {}

  execute({ id, ifMatch }: RehearseReplay): Promise<ReplayRehearsal> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const { letter, ...rehearsal } = await this.replays.rehearse(tx, id, ifMatch);
      return { ...rehearsal, version: letter.version };
    });
  }
}
