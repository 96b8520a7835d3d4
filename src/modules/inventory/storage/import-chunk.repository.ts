import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Instant } from '../../../shared/kernel/clock.ts';
import { currentContext } from '../../../shared/kernel/context.ts';
import type { EntityKey } from '../../../shared/kernel/entity-key.ts';
import type { Transaction } from '../../../shared/persistence/transaction.ts';
import { Settings } from '../../../shared/settings.ts';
import type { ImportedRow } from '../contract.ts';
import { type ImportChunkRow, importChunksTable } from './import-chunk.table.ts';

/**
 * Rows of an import that share a row of the table. The boundaries are fixed by the row number and stored with what was
 * done, so this number must not change while anything that was stored under it lives.
 */
const CHUNK_ROWS = 100;

const MS_PER_HOUR = 3_600_000;

/** Characters of a hash, 6 bits each. With 66 bits, a changed row is taken for the one before once in 10^19 changes. */
const HASH_CHARACTERS = 11;

/** Between the places of a chunk, and between the hashes of a place. */
const PLACE_END = ',';
const HASH_END = ' ';

/** A row's content: its values, however they were spelt. No value has a line feed in it, so they cannot run together. */
export function contentHashOf(row: ImportedRow): string {
  const values =
    'counted' in row
      ? [row.sku, row.locationId, row.counted, row.reason ?? '']
      : [row.sku, row.locationId, row.type, row.quantity, row.reason ?? '', row.reference ?? ''];
  return hash('sha256', values.join('\n'), 'base64url').slice(0, HASH_CHARACTERS);
}

/** What imports have applied, by Idempotency-Key, row number and content. */
@Injectable()
export class ImportChunks {
  private readonly lifetimeMs: number;

  constructor(settings: Settings) {
    this.lifetimeMs = settings.idempotencyKeyHours * MS_PER_HOUR;
  }

  /** The rows of the table that these row numbers need. */
  keysOf(key: string, rowNumbers: readonly number[]): EntityKey[] {
    const { clientId } = currentContext();
    const chunks = new Set(rowNumbers.map(chunkOf));
    return [...chunks].map((chunk) => ({ table: importChunksTable.name, values: [clientId, key, String(chunk)] }));
  }

  /** What is known under a key; its rows of the table were loaded. */
  open(tx: Transaction, key: string, at: Instant): AppliedRows {
    return new AppliedRows(tx, currentContext().clientId, key, at, at + this.lifetimeMs);
  }
}

/** The applied rows of one key as one work sees and adds to them. */
export class AppliedRows {
  private readonly chunks = new Map<number, Chunk>();

  constructor(
    private readonly tx: Transaction,
    private readonly clientId: string,
    private readonly key: string,
    private readonly at: Instant,
    private readonly expiresAt: Instant,
  ) {}

  /** Whether the row was applied with this content, at any time: a row that goes back to what it was is done. */
  has(rowNumber: number, contentHash: string): boolean {
    return this.placeOf(rowNumber).includes(contentHash);
  }

  /** How many different contents were applied under this row number. */
  contentsOf(rowNumber: number): number {
    return this.placeOf(rowNumber).length / (HASH_CHARACTERS + HASH_END.length);
  }

  add(rowNumber: number, contentHash: string): void {
    const chunk = this.chunkOf(rowNumber);
    chunk.places[placeIn(rowNumber)] = this.placeOf(rowNumber) + contentHash + HASH_END;
    chunk.changed = true;
  }

  /** Hands what was added to the transaction. */
  save(): void {
    for (const [chunk, { places, changed, alive, version }] of this.chunks) {
      if (changed) {
        this.tx.replace(importChunksTable, {
          clientId: this.clientId,
          key: this.key,
          chunk,
          applied: Array.from(places, (place: string | undefined) => place ?? '').join(PLACE_END),
          createdAt: alive?.createdAt ?? this.at,
          expiresAt: this.expiresAt,
          version: version + 1,
        });
      }
    }
  }

  private placeOf(rowNumber: number): string {
    return this.chunkOf(rowNumber).places[placeIn(rowNumber)] ?? '';
  }

  private chunkOf(rowNumber: number): Chunk {
    const number = chunkOf(rowNumber);
    let chunk = this.chunks.get(number);
    if (chunk === undefined) {
      const stored = this.tx.loaded(importChunksTable, this.clientId, this.key, String(number));
      const alive = stored !== undefined && this.at < stored.expiresAt ? stored : undefined;
      const places = alive?.applied.split(PLACE_END) ?? [];
      chunk = { alive, version: stored?.version ?? 0, places, changed: false };
      this.chunks.set(number, chunk);
    }
    return chunk;
  }
}

interface Chunk {
  /** Undefined where nothing is stored, or where it has expired. */
  readonly alive: ImportChunkRow | undefined;
  /** Of the row that is stored, alive or not. */
  readonly version: number;
  /** By place: hashes, each with its end. */
  readonly places: string[];
  changed: boolean;
}

function chunkOf(rowNumber: number): number {
  return Math.floor((rowNumber - 1) / CHUNK_ROWS);
}

function placeIn(rowNumber: number): number {
  return (rowNumber - 1) % CHUNK_ROWS;
}
