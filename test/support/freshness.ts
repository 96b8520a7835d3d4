import { CommandBus } from '@nestjs/cqrs';
import {
  type FreshnessPolicy,
  type FreshnessReport,
  type LocationFreshnessView,
  ReportFreshness,
} from '../../src/modules/inventory/contract.ts';
import { runInContext } from '../../src/shared/kernel/context.ts';
import type { RunningApp } from './start-app.ts';

/** Stale after 10 s and silent after a minute, when a fifth and half of on-hand are left alone. */
export const CAREFUL: FreshnessPolicy = {
  staleAfterSeconds: 10,
  silentAfterSeconds: 60,
  staleCautionPercent: 20,
  silentCautionPercent: 50,
};

/** Tells inventory of a location what sync would tell it. */
export function report({ app }: RunningApp, locationId: string, told: FreshnessReport): Promise<LocationFreshnessView> {
  const context = { tenantId: 'default', clientId: 'sync', correlationId: 'report', traceparent: null };
  const commands = app.get(CommandBus, { strict: false });
  return runInContext(context, () => commands.execute(new ReportFreshness(locationId, told)));
}
