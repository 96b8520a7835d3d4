import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Reader } from '../../../shared/persistence/reader.ts';
import { GetTransfer, type TransferView } from '../contract.ts';
import { TransferNotFound } from '../domain/transfer.errors.ts';
import { transfersTable } from '../storage/transfer.table.ts';
import { toTransferView } from './transfer-view.ts';

@QueryHandler(GetTransfer)
export class GetTransferHandler implements IQueryHandler<GetTransfer> {
  constructor(private readonly reader: Reader) {}

  async execute({ transferId }: GetTransfer): Promise<TransferView> {
    const row = await this.reader.one(
      this.reader.rows(transfersTable, 'transfer').andWhere('transfer.id = :transferId', { transferId }),
    );
    if (row === undefined) {
      throw new TransferNotFound(transferId);
    }
    return toTransferView(row);
  }
}
