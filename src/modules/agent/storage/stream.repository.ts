import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Reader } from '../../../shared/persistence/reader.ts';
import { AgentSettings } from '../agent-settings.ts';
import { Stream, type StreamState } from '../domain/stream.ts';
import { streamTable } from './stream.table.ts';

const OTHER_LOCATION = 'SELECT location_id AS "locationId" FROM till_stream WHERE tenant_id = :tenant';

/** The one stream of this store. It is there from the first start on. */
@Injectable()
export class Streams {
  constructor(
    private readonly settings: AgentSettings,
    private readonly reader: Reader,
  ) {}

  async get(tx: Transaction): Promise<Stream> {
    return Stream.of(required(await tx.get(streamTable, this.settings.locationId)));
  }

  save(tx: Transaction, stream: Stream): void {
    tx.replace(streamTable, stream.state);
  }

  add(tx: Transaction, stream: Stream): Promise<void> {
    return tx.put(streamTable, stream.state);
  }

  /** As of the last commit. */
  async read(): Promise<StreamState> {
    const { locationId } = this.settings;
    return required(
      await this.reader.one(this.reader.rows(streamTable, 's').andWhere('s.locationId = :locationId', { locationId })),
    );
  }

  /** Whose data these are; null while nobody has used them. */
  async owner(): Promise<string | null> {
    const [row] = await this.reader.select<{ locationId: string }>(OTHER_LOCATION);
    return row?.locationId ?? null;
  }
}

function required(state: StreamState | undefined): StreamState {
  if (state === undefined) throw new Error('Bug: the stream is used before the agent has started');
  return state;
}
