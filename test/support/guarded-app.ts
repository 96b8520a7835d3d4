import type { AppPart } from '../../src/shared/http/http-app.ts';
import type { Role } from '../../src/shared/access/roles.ts';
import type { Api } from './http.ts';
import type { Engine } from './services.ts';
import { bodyOf } from './shop.ts';
import { type RunningApp, startApp } from './start-app.ts';

/** HOLDFAST_ADMIN_KEY of the suites. */
export const ADMIN_KEY = 'admin-key-of-the-suites-0123456789abcdef';

export interface WantedKey {
  readonly role: Role;
  readonly clientId?: string;
  readonly locationId?: string;
  readonly expiresAt?: string;
  readonly tenantId?: string;
}

export interface MadeKey {
  readonly id: string;
  readonly key: string;
}

/** An app that asks for keys. Its `api` sends none. */
export class GuardedApp {
  /** The first key: operator of `default`, and platform. */
  readonly admin: Api;
  private readonly apis: Api[] = [];

  constructor(readonly running: RunningApp) {
    this.admin = this.withKey(ADMIN_KEY);
  }

  get anonymous(): Api {
    return this.running.api;
  }

  async makeKey(wanted: WantedKey): Promise<MadeKey> {
    return bodyOf(await this.admin.post<MadeKey>('/v1/admin/keys', { name: wanted.role, ...wanted }), 201);
  }

  /** Somebody with a new key of this kind. */
  async as(wanted: WantedKey): Promise<Api> {
    return this.withKey((await this.makeKey(wanted)).key);
  }

  withKey(key: string): Api {
    return this.with({ 'x-api-key': key });
  }

  withToken(token: string): Api {
    return this.with({ authorization: `Bearer ${token}` });
  }

  /** An operator of a new tenant. */
  async operatorOf(tenantId: string): Promise<Api> {
    bodyOf(await this.admin.post('/v1/admin/tenants', { id: tenantId, name: tenantId }), 201);
    return this.as({ role: 'operator', tenantId });
  }

  /** A second server on the same database, whose clock shows the same time. */
  async another(engine: Engine, env: Readonly<Record<string, string>> = {}): Promise<GuardedApp> {
    const { databaseUrl, clock } = this.running;
    const other = await startGuardedApp(engine, { DATABASE_URL: databaseUrl, ...env });
    other.running.clock.set(new Date(clock.now()).toISOString());
    return other;
  }

  async close(): Promise<void> {
    this.apis.forEach((api) => {
      api.close();
    });
    await this.running.close();
  }

  private with(headers: Record<string, string>): Api {
    const api = this.running.api.as(headers);
    this.apis.push(api);
    return api;
  }
}

export async function startGuardedApp(
  engine: Engine,
  env: Readonly<Record<string, string>> = {},
  extraParts: readonly AppPart[] = [],
): Promise<GuardedApp> {
  const guarded = { AUTH: 'on', HOLDFAST_ADMIN_KEY: ADMIN_KEY, ...env };
  return new GuardedApp(await startApp(engine, guarded, extraParts));
}

/** One for all tests of a suite. */
export function useGuardedApp(engine: Engine, env: Readonly<Record<string, string>> = {}): { readonly it: GuardedApp } {
  let app: GuardedApp | undefined;
  beforeAll(async () => {
    app = await startGuardedApp(engine, env);
  });
  afterAll(() => app?.close());
  return {
    get it() {
      if (app === undefined) throw new Error('The app is there from beforeAll on');
      return app;
    },
  };
}
