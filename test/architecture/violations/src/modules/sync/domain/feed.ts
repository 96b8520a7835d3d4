export interface Feed {
  readonly cursor: string;
}
