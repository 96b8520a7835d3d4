export interface Settings {
  readonly port: number;
}
