import { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';
import type { DatabaseFile } from '../world/database.ts';
import { Faults } from '../world/faults.ts';
import type { Decide } from '../world/notes.ts';
import { Server } from '../world/server.ts';
import { Time } from '../world/time.ts';
import { type Life, Turns } from '../world/turns.ts';
import type { Climate } from './story.ts';

const OPENING_TIME = Date.parse('2026-03-01T10:00:00.000Z');

/** Where a story happens: its servers on their database, its time, and what goes wrong. */
export class Stage {
  readonly time = new Time(OPENING_TIME);
  readonly turns: Turns;
  readonly faults: Faults;
  /** Of all who are no server: they live as long as the story. */
  private readonly life: Life = { isOver: false };
  private readonly seeds: Chance;
  private servers: Server[] = [];

  constructor(
    readonly database: DatabaseFile,
    private readonly climate: Climate,
    seed: number,
    private readonly coverage: Coverage,
    private readonly notes: Decide,
  ) {
    this.seeds = new Chance(seed);
    this.turns = new Turns(new Chance(this.seeds.seed()));
    this.faults = new Faults(new Chance(0), coverage);
  }

  async open(): Promise<void> {
    while (this.servers.length < this.climate.servers) this.servers.push(await this.start());
    await this.turns.untilRest();
  }

  /** Waits for a turn, as everybody does. */
  turn(): Promise<void> {
    return this.turns.wait(this.life);
  }

  /** One that is there; undefined: nobody is. */
  server(chance: Chance): Server | undefined {
    const alive = this.servers.filter(({ isDead }) => !isDead);
    return alive.length === 0 ? undefined : chance.pick(alive);
  }

  /** Until nobody has anything to do; then whoever was killed is started again. */
  async rest(): Promise<void> {
    await this.turns.untilRest();
    for (let index = 0; index < this.servers.length; index += 1) {
      if (this.servers[index]?.isDead !== true) continue;
      this.faults.rest();
      this.coverage.count('server started again');
      this.servers[index] = await this.start();
      await this.turns.untilRest();
    }
  }

  /** Nothing goes on when the curtain has fallen. */
  close(): void {
    this.life.isOver = true;
    this.servers.forEach((server) => {
      server.die();
    });
    this.servers = [];
  }

  private start(): Promise<Server> {
    const { isolation, slownessMs, settings } = this.climate;
    const { time, turns, faults, notes } = this;
    const { file, rowTimes } = this.database;
    const climate = { settings, isolation, slownessMs };
    return Server.start({ file, rowTimes, ...climate, time, turns, faults, notes, seed: this.seeds.seed() });
  }
}
