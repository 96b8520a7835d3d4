import { Injectable } from '@nestjs/common';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { AgentSettings } from '../agent-settings.ts';
import { type CentralStream, type Resumption, resume, Stream } from '../domain/stream.ts';
import { Streams } from '../storage/stream.repository.ts';

/** Begins a stream here when the agent starts, and at the centre's word a new epoch of it. */
@Injectable()
export class OpenStream {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly settings: AgentSettings,
    private readonly streams: Streams,
  ) {}

  /**
   * Makes sure that there is a stream before anything is recorded.
   * @throws Error when the data belong to another location: its facts would be told of this one
   */
  async begin(): Promise<Stream['state']> {
    const { locationId, dataFolder } = this.settings;
    const owner = await this.streams.owner();
    if (owner !== null && owner !== locationId) {
      throw new Error(`The data in ${dataFolder} are those of ${owner}; give ${locationId} a folder of its own`);
    }
    if (owner === null) {
      await this.unitOfWork.run({ keys: [] }, (tx) => this.streams.add(tx, Stream.begin(locationId, this.clock.now())));
    }
    return this.streams.read();
  }

  /**
   * @param epoch that the centre has just given
   * @param before what the centre said of the stream just before that
   * @param known see `resume`
   */
  open(epoch: number, before: CentralStream, known: number): Promise<Resumption> {
    return this.unitOfWork.run({ keys: [] }, async (tx) => {
      const stream = await this.streams.get(tx);
      const resumption = resume(stream.state, before, known);
      stream.open(epoch, resumption, this.clock.now());
      this.streams.save(tx, stream);
      return resumption;
    });
  }
}
