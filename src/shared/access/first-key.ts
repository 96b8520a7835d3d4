import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../kernel/clock.ts';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { Reader } from '../persistence/reader.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { Settings } from '../settings.ts';
import { hashOfKey, makeApiKey } from './api-key.ts';
import { type ApiKeyRow, apiKeysTable } from './api-key.table.ts';
import { keyCreated } from './events.ts';

/** The tenant of a database that nobody has said anything about. */
const FIRST_TENANT = 'default';
/** That of before there were keys, so that what it has done under an Idempotency-Key stays done. */
const FIRST_CLIENT = 'default';
const FILE = 'admin.key';
const FOLDER_BESIDE_NO_FILE = './data';

const LIVE_KEYS_OF_PLATFORM = `SELECT COUNT(*) AS "keys" FROM api_keys
  WHERE role IN ('admin', 'platform') AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :at)`;
const SAME_KEY = 'SELECT revoked_at AS "revokedAt" FROM api_keys WHERE hash = :hash';

/**
 * Somebody has to be the first who may make keys. Theirs comes from HOLDFAST_ADMIN_KEY or, when a database has no
 * living key of the platform, is made and put into a file that only the server's user can read (docs/decisions/0030).
 */
@Injectable()
export class FirstKey implements OnApplicationBootstrap {
  private readonly logger = new Logger(FirstKey.name);
  /** Where the key lies that this start has made; null: it made none. */
  writtenTo: string | null = null;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: Reader,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.settings.auth === 'off') {
      this.logger.warn('AUTH=off: nobody is asked for a key, and whoever reaches this server may do everything');
      return;
    }
    const given = this.settings.holdfastAdminKey;
    if (given !== null) await this.take(given);
    else if (!(await this.isThereOne())) await this.make();
  }

  /** It counts from whichever start it is given on: who can set it can also change the database. */
  private async take(key: string): Promise<void> {
    if ((await this.knowledgeOf(key)) === 'revoked') {
      this.logger.warn('HOLDFAST_ADMIN_KEY is a key that was revoked, and stays so');
    } else {
      await this.store(key);
    }
  }

  private async isThereOne(): Promise<boolean> {
    const [found] = await this.reader.selectAcrossTenants<{ keys: number }>(LIVE_KEYS_OF_PLATFORM, {
      at: this.clock.now(),
    });
    return Number(found?.keys) > 0;
  }

  /** The file first: a key in the database that nobody can read any more would be of no use. */
  private async make(): Promise<void> {
    const { sqlitePath } = this.settings;
    const file = path.join(sqlitePath === null ? FOLDER_BESIDE_NO_FILE : path.dirname(sqlitePath), FILE);
    let key = keyInFile(file);
    if ((await this.knowledgeOf(key)) === 'revoked') {
      rmSync(file);
      key = keyInFile(file);
    }
    await this.store(key);
    this.writtenTo = file;
    this.logger.log(`The first key is in ${file}`);
  }

  private async knowledgeOf(key: string): Promise<'unknown' | 'good' | 'revoked'> {
    const [known] = await this.reader.selectAcrossTenants<{ revokedAt: number | null }>(SAME_KEY, {
      hash: hashOfKey(key),
    });
    if (known === undefined) return 'unknown';
    return known.revokedAt === null ? 'good' : 'revoked';
  }

  private store(key: string): Promise<void> {
    const context = { tenantId: FIRST_TENANT, clientId: 'start', correlationId: this.ids.next(), traceparent: null };
    return runInContext(context, () =>
      this.unitOfWork.run({ keys: [] }, async (tx) => {
        // Two servers may start together, with the same key; then the second one meets the first one's.
        const hash = hashOfKey(key);
        if ((await tx.selectAcrossTenants(SAME_KEY, { hash })).length > 0) return;
        const row: ApiKeyRow = {
          id: this.ids.next(),
          hash,
          name: 'Made at the start',
          role: 'admin',
          clientId: FIRST_CLIENT,
          locationId: null,
          createdAt: this.clock.now(),
          expiresAt: null,
          lastUsedAt: null,
          revokedAt: null,
          version: 1,
        };
        tx.insert(apiKeysTable, row);
        tx.record([keyCreated(row)]);
      }),
    );
  }
}

const MADE_KEY = /^hf_admin_[A-Za-z0-9_-]{43}$/;

/**
 * The key of the file, which is made if it is not there. A start that broke off between file and database, and one that
 * happens at the same time, have the same one.
 */
function keyInFile(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  const made = `${file}.${process.pid}`;
  writeFileSync(made, `${makeApiKey('admin')}\n`, { mode: 0o600 });
  try {
    // Unlike a rename it never replaces, and unlike a write it is there whole or not at all.
    linkSync(made, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(made);
  }
  const key = readFileSync(file, 'utf8').trim();
  if (!MADE_KEY.test(key)) throw new Error(`${file} holds no key of this server; move it away and start again`);
  return key;
}
