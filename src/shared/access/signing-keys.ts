import { Injectable } from '@nestjs/common';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose';
import { NO_TENANT } from '../housekeeping/retention-marks.ts';
import { Clock, type Instant } from '../kernel/clock.ts';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { Reader } from '../persistence/reader.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { type SigningKeyRow, signingKeysTable } from './signing-key.table.ts';

/** The one algorithm, whatever a token says of itself: Ed25519 signatures (RFC 8037). */
export const TOKEN_ALGORITHM = 'EdDSA';

/** How far the clocks of two servers may be apart, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** Public keys of other servers that are remembered; there is one for each server and day. */
const REMEMBERED_KEYS_MAX = 1_000;

const MS_PER_HOUR = 3_600_000;
const MS_PER_SECOND = 1_000;

interface OwnKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
  /** From then on a new one signs. */
  readonly replacedAt: Instant;
}

interface KnownKey {
  readonly publicKey: CryptoKey;
  readonly expiresAt: Instant;
}

const KEY = `SELECT public_key AS "publicKey", expires_at AS "expiresAt" FROM signing_keys
  WHERE tenant_id = :tenant AND id = :id`;

/**
 * What signs tokens, and what tells that one of the servers has signed it. Each process makes pairs of its own and keeps
 * the private parts in its memory; the public ones lie in the database for all, until the last token is over that
 * they can have signed. So keys rotate with overlap, and no backup holds anything that could sign (docs/decisions/0031).
 */
@Injectable()
export class SigningKeys {
  private own: Promise<OwnKey> | undefined;
  private readonly known = new Map<string, KnownKey>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
  ) {}

  /** The pair that signs now; its public part is on disk. @throws as UnitOfWork.run */
  async signing(): Promise<Pick<OwnKey, 'id' | 'privateKey'>> {
    const own = await this.own?.catch(() => undefined);
    if (own !== undefined && this.clock.now() < own.replacedAt) return own;
    // Those who come while it is being made wait for the same one.
    if (this.own === undefined || own !== undefined) this.own = this.make();
    return this.own.catch((error: unknown) => {
      this.own = undefined;
      throw error;
    });
  }

  /** @returns null when no server has signed with it, or every token that it signed is over. @throws Unavailable (503) */
  async verifying(id: string): Promise<CryptoKey | null> {
    const known = this.known.get(id) ?? (await this.find(id));
    if (known === null || this.clock.now() >= known.expiresAt) return null;
    this.remember(id, known);
    return known.publicKey;
  }

  private async make(): Promise<OwnKey> {
    const { signingKeyHours, accessTokenSeconds } = this.settings;
    const { publicKey, privateKey } = await generateKeyPair(TOKEN_ALGORITHM);
    const createdAt = this.clock.now();
    const replacedAt = createdAt + signingKeyHours * MS_PER_HOUR;
    const expiresAt = replacedAt + (accessTokenSeconds + 2 * CLOCK_TOLERANCE_SECONDS) * MS_PER_SECOND;
    const row: SigningKeyRow = { id: this.ids.next(), publicKey: await exportJWK(publicKey), createdAt, expiresAt };
    await this.ofPlatform(() =>
      this.unitOfWork.run({ keys: [] }, (tx) => {
        tx.insert(signingKeysTable, row);
        return Promise.resolve();
      }),
    );
    return { id: row.id, privateKey, replacedAt };
  }

  private async find(id: string): Promise<KnownKey | null> {
    const [row] = await this.ofPlatform(() =>
      this.reader.select<{ publicKey: string; expiresAt: Instant }>(KEY, { id }),
    );
    if (row === undefined) return null;
    const jwk = JSON.parse(row.publicKey) as SigningKeyRow['publicKey'];
    return { publicKey: (await importJWK(jwk, TOKEN_ALGORITHM)) as CryptoKey, expiresAt: row.expiresAt };
  }

  /** The oldest make way, which are over first. */
  private remember(id: string, key: KnownKey): void {
    if (this.known.has(id)) return;
    const [oldest] = this.known.keys();
    if (this.known.size >= REMEMBERED_KEYS_MAX && oldest !== undefined) this.known.delete(oldest);
    this.known.set(id, key);
  }

  private ofPlatform<T>(work: () => Promise<T>): Promise<T> {
    const context = { tenantId: NO_TENANT, clientId: 'tokens', correlationId: this.ids.next(), traceparent: null };
    return runInContext(context, work);
  }
}
