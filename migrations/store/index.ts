import { Till0001 } from './0001-till.ts';

/** Of the database of a store agent, which has nothing in common with the centre's but the rules of migrations. */
export const STORE_MIGRATIONS = [Till0001];
