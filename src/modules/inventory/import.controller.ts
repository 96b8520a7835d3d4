import type { Readable } from 'node:stream';
import { Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { Costs } from '../../shared/access/limits/cost.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { RequiresIdempotencyKey } from '../../shared/http/idempotency-key.ts';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { CSV_TYPE, mediaTypeOf, StreamedBody } from '../../shared/http/streamed-body.ts';
import { WriteDoor } from '../../shared/http/write-door.ts';
import { Metrics } from '../../shared/operations/metrics.ts';
import { CsvRows } from '../../shared/rows/csv-rows.ts';
import { NdjsonRows } from '../../shared/rows/ndjson-rows.ts';
import type { RowFormat } from '../../shared/rows/row-format.ts';
import type { RowPiece } from '../../shared/rows/row-reader.ts';
import { RESULTS_CONTENT_TYPE, RowStreams } from '../../shared/rows/row-streams.ts';
import { Settings } from '../../shared/settings.ts';
import { ImportRows, type NumberedRow, type RowOutcome } from './contract.ts';
import { IMPORT_OPERATION, IMPORT_RESPONSE } from './import.openapi.ts';
import { IMPORT_CSV, type ImportTally, readImportedRow, toInvalid, toResultLine, toSummaryLine } from './import.dto.ts';

/** Counts and movements by the file. */
@ApiTags('Stock')
@Controller('v1/stock/import')
export class ImportController {
  constructor(
    private readonly streams: RowStreams,
    private readonly door: WriteDoor,
    private readonly commands: CommandBus,
    private readonly metrics: Metrics,
    private readonly settings: Settings,
  ) {}

  @Post()
  @Costs('bulk')
  @Allows('operator')
  @HttpCode(200)
  @RequiresIdempotencyKey()
  @StreamedBody()
  @ApiOperation(IMPORT_OPERATION)
  @ApiOkResponse(IMPORT_RESPONSE)
  @ApiProblems('VALIDATION_FAILED', 'IDEMPOTENCY_KEY_MISSING', 'IDEMPOTENCY_KEY_REUSED')
  async importStock(@HttpExchange() exchange: Exchange): Promise<Readable> {
    const results = await this.streams.answer(exchange.request, this.formatOf(exchange), async () => {
      const key = await this.door.claim(exchange);
      const tally = { applied: 0, duplicate: 0, refused: 0 };
      return { carryOut: (piece) => this.carryOut(key, piece, tally), summary: () => toSummaryLine(tally) };
    });
    exchange.reply.header('content-type', RESULTS_CONTENT_TYPE);
    return results;
  }

  private formatOf({ request }: Exchange): RowFormat {
    const { importLineBytesMax, jsonDepthMax } = this.settings;
    return mediaTypeOf(request.headers) === CSV_TYPE
      ? new CsvRows(IMPORT_CSV, importLineBytesMax)
      : new NdjsonRows(jsonDepthMax);
  }

  private async carryOut(key: string, { first, rows }: RowPiece, tally: ImportTally): Promise<string> {
    const outcomes = new Array<RowOutcome>(rows.length);
    const valid: NumberedRow[] = [];
    rows.forEach((raw, index) => {
      const read = readImportedRow(raw);
      if ('errors' in read) outcomes[index] = toInvalid(read.errors);
      else valid.push({ number: first + index, row: read.value });
    });
    const carriedOut = valid.length === 0 ? [] : await this.commands.execute(new ImportRows(key, valid));
    carriedOut.forEach((outcome, index) => {
      outcomes[(valid[index]?.number ?? first) - first] = outcome;
    });
    this.count(outcomes, tally);
    return outcomes.map((outcome, index) => toResultLine(first + index, outcome)).join('');
  }

  private count(outcomes: readonly RowOutcome[], tally: ImportTally): void {
    for (const kind of ['applied', 'duplicate', 'refused'] as const) {
      const rows = outcomes.filter(({ outcome }) => outcome === kind).length;
      tally[kind] += rows;
      if (rows > 0) this.metrics.countImportRows(kind, rows);
    }
  }
}
