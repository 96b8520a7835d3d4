import { v7 } from 'uuid';

/** The one source of new ids. Ids rise with time (UUIDv7, RFC 9562), so "newest first" is descending id order. */
export abstract class Ids {
  abstract next(): string;
}

export class UuidV7Ids extends Ids {
  next(): string {
    return v7();
  }
}
