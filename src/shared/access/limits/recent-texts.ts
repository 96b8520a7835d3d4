/** Remembers the latest texts, at most so many. */
export class RecentTexts {
  private readonly texts = new Set<string>();

  constructor(private readonly textsMax: number) {}

  has(text: string): boolean {
    return this.texts.has(text);
  }

  add(text: string): void {
    if (this.texts.has(text)) return;
    this.texts.add(text);
    if (this.texts.size <= this.textsMax) return;
    for (const oldest of this.texts) {
      this.texts.delete(oldest);
      return;
    }
  }
}
