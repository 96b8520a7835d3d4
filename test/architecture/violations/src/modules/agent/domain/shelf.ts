export interface Shelf {
  readonly onHand: number;
}
