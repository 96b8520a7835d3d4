import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { PrivateCluster } from '../../bench/private-cluster.ts';
import { freePort } from '../free-port.ts';
import { Random } from '../random.ts';
import { Centre } from './centre.ts';
import { Comparison } from './comparison.ts';
import { World } from './world.ts';

export interface CrashOptions {
  /** SIGKILLs of servers, from 1. */
  readonly kills: number;
  readonly seed: number;
  readonly servers: number;
  readonly databaseUrl: string;
  /** Where there is one, the database itself is killed, too. */
  readonly cluster: PrivateCluster | null;
  readonly say: (text: string) => void;
}

/** Most answers of a round before somebody is killed; on a slow machine there are fewer. */
const LOAD_ANSWERS_MAX = 300;
const LOAD_MAX_MS = 10_000;
/** And then any moment within these. */
const LAST_MS = 20;
const LOOK_MS = 5;
/** After a kill, the servers that are left work on for this long at most. */
const SURVIVORS_MAX_MS = 300;
const START_MAX_MS = 1_500;
const REPORT_EVERY_KILLS = 10;

/** Servers under load that are killed, started and compared, again and again. */
export class CrashLoop {
  readonly recoveriesMs: number[] = [];
  /** From the moment that PostgreSQL answers again until all servers are ready. */
  readonly databaseRecoveriesMs: number[] = [];
  kills = 0;
  killsWhileStarting = 0;
  violations: string[] = [];
  private readonly random: Random;
  private readonly centres: Centre[] = [];
  private openedWorld: World | undefined;

  constructor(private readonly options: CrashOptions) {
    this.random = new Random(options.seed);
  }

  get world(): World {
    if (this.openedWorld === undefined) throw new Error('Nothing was started yet');
    return this.openedWorld;
  }

  /** Ends with the first round that shows something wrong. */
  async run(): Promise<void> {
    const { databaseUrl, servers, seed, kills } = this.options;
    const adminKey = randomBytes(32).toString('base64url');
    const env = { DATABASE_URL: databaseUrl, AUTH: 'on', HOLDFAST_ADMIN_KEY: adminKey };
    try {
      for (let n = 0; n < servers; n += 1) this.centres.push(new Centre(await freePort(), env));
      await Promise.all(this.centres.map((centre) => centre.start()));
      this.openedWorld = await World.open(this.anyCentre().url, adminKey, seed);
      const comparison = new Comparison(this.openedWorld, databaseUrl, this.random);
      let reported = 0;
      while (this.kills < kills && this.violations.length === 0) {
        await this.round();
        this.violations = await comparison.violations(this.anyCentre().url);
        if (this.violations.length > 0) this.centres.forEach(({ written }) => this.options.say(written));
        if (this.kills - reported >= REPORT_EVERY_KILLS || this.kills >= kills) {
          reported = this.kills;
          this.options.say(`${this.kills} of ${kills} kills, ${this.requests} requests`);
        }
      }
      this.violations.push(...this.openedWorld.journal.neverDone());
    } finally {
      await Promise.all(this.centres.map((centre) => centre.kill()));
    }
  }

  get requests(): number {
    return [...this.world.journal.byKind.values()].reduce((sum, { sent }) => sum + sent, 0);
  }

  /** Load, a kill at a random moment, and everybody is there again. */
  private async round(): Promise<void> {
    let isOver = false;
    const working = this.world.clients.map(async (client, index) => {
      const wire = this.world.wireOf(client, this.centreOf(index).url);
      await client.work(wire, () => isOver);
      wire.close();
    });
    await this.untilAnswered(this.answers + this.random.whole(0, LOAD_ANSWERS_MAX));
    await pause(this.random.whole(0, LAST_MS));
    const { cluster } = this.options;
    const victims = cluster !== null && this.random.chance(10) ? [] : this.victims();
    if (cluster !== null && victims.length === 0) await cluster.crash();
    await Promise.all(victims.map((centre) => centre.kill()));
    this.kills += victims.length;
    await pause(this.random.whole(0, SURVIVORS_MAX_MS));
    isOver = true;
    await Promise.all(working);
    if (cluster !== null && victims.length === 0) await this.restartDatabase(cluster);
    for (const centre of victims) await this.restart(centre);
  }

  private async untilAnswered(enough: number): Promise<void> {
    const deadline = performance.now() + LOAD_MAX_MS;
    while (this.answers < enough && performance.now() < deadline) await pause(LOOK_MS);
  }

  private get answers(): number {
    return [...this.world.journal.byKind.values()].reduce((sum, { answered, refused }) => sum + answered + refused, 0);
  }

  private async restart(centre: Centre): Promise<void> {
    if (this.kills < this.options.kills && this.random.chance(12)) {
      centre.launch();
      await pause(this.random.whole(0, START_MAX_MS));
      await centre.kill();
      this.kills += 1;
      this.killsWhileStarting += 1;
    }
    this.recoveriesMs.push(await centre.start());
  }

  /** The servers find it again by themselves. */
  private async restartDatabase(cluster: PrivateCluster): Promise<void> {
    await cluster.start();
    const from = performance.now();
    await Promise.all(this.centres.map((centre) => centre.untilReady()));
    this.databaseRecoveriesMs.push(performance.now() - from);
  }

  private victims(): Centre[] {
    const left = this.options.kills - this.kills;
    const all = this.centres.length <= left && this.random.chance(30);
    return all ? [...this.centres] : [this.random.pick(this.centres)];
  }

  private centreOf(index: number): Centre {
    return this.centres[index % this.centres.length] ?? this.anyCentre();
  }

  private anyCentre(): Centre {
    return this.random.pick(this.centres);
  }
}
