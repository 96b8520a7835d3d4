/*
 * The server of the production build with one reaction more: it repeats movements at another location, as
 * test/support/mirror.ts does. It runs as a process of its own, so it is no TypeScript.
 *
 * MIRROR_KILL_AT: after the effect of this many events, and before their commit, the process kills itself.
 */
import process from 'node:process';
import { Module } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import { createApp } from '../../dist/src/app.js';
import { RecordMovement, StockMoved } from '../../dist/src/modules/inventory/contract.js';
import { ReactsTo } from '../../dist/src/shared/outbox/reaction.js';
import { loadSettings } from '../../dist/src/shared/settings.js';

const MIRROR = 'mirror:';
let effectsUntilDeath = Number(process.env.MIRROR_KILL_AT ?? Infinity);

class MirrorMovements {
  constructor(commands) {
    this.commands = commands;
  }

  async handle({ data: { sku, delta, reference }, subjectVersion }) {
    if (reference?.startsWith(MIRROR) !== true) return;
    const movement = { type: 'RECEIPT', quantity: delta, reason: `${subjectVersion}`, reference: null };
    await this.commands.execute(new RecordMovement(sku, reference.slice(MIRROR.length), movement));
    effectsUntilDeath -= 1;
    if (effectsUntilDeath === 0) process.kill(process.pid, 'SIGKILL');
  }
}
ReactsTo({ consumer: 'test.mirror', events: [StockMoved] })(MirrorMovements);
Reflect.defineMetadata('design:paramtypes', [CommandBus], MirrorMovements);

class MirrorModule {}
Module({ imports: [CqrsModule], providers: [MirrorMovements] })(MirrorModule);

const settings = loadSettings();
const app = await createApp(settings, [MirrorModule]);
await app.listen(settings.port, settings.host);
