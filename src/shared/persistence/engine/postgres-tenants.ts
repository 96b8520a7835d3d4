import { type ClientBase, escapeLiteral, type Pool, type PoolClient, type QueryResult } from 'pg';
import { ALL_TENANTS, TENANT_SETTING } from '../../../../migrations/tenant-wall.ts';
import type { Row, SqlParameters } from './engine.ts';
import { numbered } from './named-parameters.ts';

/*
 * Whose rows a connection is about. The policies of migration 0030 show and take no others, whatever a statement says
 * (docs/decisions/0034).
 */

/** As ids of tenants are; `*` is that of the platform. What says "all tenants" is none. */
const TENANT = /^[A-Za-z0-9._:*-]{1,64}$/;

/** The connection would not be kept to one tenant, so it is not used. */
export class NoTenantWall extends Error {
  constructor() {
    super('This connection would pass over row-level security: its role is not the one that it was opened for');
  }
}

/** Begins a transaction of the tenant, in one round trip; at its end the connection is of nobody again. */
export function beginOf(tenantId: string, isolation: 'REPEATABLE READ' | 'READ COMMITTED'): string {
  return `BEGIN ISOLATION LEVEL ${isolation}; ${localTenant(tenantOf(tenantId))}`;
}

/**
 * A statement about all tenants within the transaction of one, in one round trip.
 * @param whose ALL_TENANTS or ALL_TENANTS_PURGING
 */
export async function acrossTenants(
  client: ClientBase,
  own: string,
  whose: string,
  sql: string,
  parameters: SqlParameters,
): Promise<QueryResult<Row>> {
  const { text, names } = numbered(sql);
  const values = names.map((name) => literal(parameters[name] ?? null));
  const statement = text.replace(/\$(\d+)/g, (_, place: string) => values[Number(place) - 1] ?? 'NULL');
  const results: unknown = await client.query(`${localTenant(whose)}; ${statement}; ${localTenant(tenantOf(own))}`);
  return (results as QueryResult<Row>[])[1] as QueryResult<Row>;
}

/**
 * Hands out pooled connections that are about one tenant at a time. What a connection is about is remembered, so that
 * nothing is sent while its tenants do not change.
 */
export class TenantConnections {
  private readonly tenants = new WeakMap<ClientBase, string>();

  /** @param wall looks at each connection once, before it is used */
  constructor(
    private readonly pool: Pool,
    private readonly wall: WallCheck,
  ) {}

  async query(tenantId: string, text: string, values: readonly unknown[]): Promise<object[]> {
    return lend(this.pool, async (client) => {
      await this.turnTo(client, tenantId);
      return (await client.query<object>(text, [...values])).rows;
    });
  }

  /** Makes a connection of this pool the tenant's, until another tenant's is wanted. @throws NoTenantWall */
  async turnTo(client: ClientBase, tenantId: string): Promise<void> {
    if (this.tenants.get(client) === tenantId) return;
    await this.wall.look(client);
    // Until it is certain, it is nobody's: a failure must not leave a tenant remembered that it does not have.
    this.tenants.delete(client);
    await client.query('SELECT set_config($1, $2, false)', [TENANT_SETTING, tenantOf(tenantId)]);
    this.tenants.set(client, tenantId);
  }
}

/** The session settings of connections that read what is about all tenants. */
export const ALL_TENANTS_SESSION = { [TENANT_SETTING]: ALL_TENANTS.replaceAll(' ', '\\ ') };

/**
 * Asks each new connection whether the policies apply to it. A pooler in between may have left out the options that it
 * was to be opened with, and its role with them.
 */
export class WallCheck {
  private readonly seen = new WeakSet<ClientBase>();

  /** @param stands false: there is no wall to look for (it was said loudly at the start) */
  constructor(private readonly stands: boolean) {}

  /** @throws NoTenantWall */
  async look(client: ClientBase): Promise<void> {
    if (!this.stands || this.seen.has(client)) return;
    const { rows } = await client.query<{ active: boolean }>(`SELECT row_security_active('outbox_events') AS "active"`);
    if (rows[0]?.active !== true) throw new NoTenantWall();
    this.seen.add(client);
  }
}

/** Takes a connection out of its pool; `giveBack` returns it. */
export async function takeOut(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  client.on('error', ignoreLostConnection);
  return client;
}

/** @param destroy true when the connection's state is not known */
export function giveBack(client: PoolClient, destroy: boolean): void {
  client.off('error', ignoreLostConnection);
  client.release(destroy);
}

/** As Pool.query does, for several statements: after a failure nobody knows what state the connection is in. */
export async function lend<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await takeOut(pool);
  let failed = true;
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    giveBack(client, failed);
  }
}

/**
 * A connection may break between two statements. Without a listener, that event would end the process; with it, the
 * next statement fails, and whatever it belongs to.
 */
export function ignoreLostConnection(): void {
  // The next statement tells.
}

/** To the end of the transaction. */
function localTenant(whose: string): string {
  return `SELECT set_config('${TENANT_SETTING}', ${escapeLiteral(whose)}, true)`;
}

/** @throws Error for what is no id of a tenant, and so might stand for all of them */
function tenantOf(tenantId: string): string {
  if (!TENANT.test(tenantId)) throw new Error(`Bug: ${JSON.stringify(tenantId)} is no id of a tenant`);
  return tenantId;
}

function literal(value: SqlParameters[string]): string {
  if (typeof value === 'string') return escapeLiteral(value);
  return value === null ? 'NULL' : String(value);
}
