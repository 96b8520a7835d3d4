import { CursorGone, FEED_START, formatFeedCursor, isFeedCursor, parseFeedCursor } from './feed-cursor.ts';

describe('The cursor of a feed', () => {
  it.each([
    [FEED_START, 0],
    ['1', 1],
    ['907', 907],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s names the position %d, and the position is written so', (text, position) => {
    expect(parseFeedCursor(text)).toBe(position);
    expect(formatFeedCursor(position)).toBe(text);
  });

  it.each(['', '-1', '+1', '01', '00', '1.0', '1e3', ' 1', '1\n', '0x10', 'head', '12345678901234567', '１'])(
    '%j is none',
    (text) => {
      expect(isFeedCursor(text)).toBe(false);
      expect(parseFeedCursor(text)).toBeNull();
    },
  );

  it.each([0, null, undefined, {}])('%p is none, because it is no text', (value) => {
    expect(isFeedCursor(value)).toBe(false);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('%d is no position to write', (position) => {
    expect(() => formatFeedCursor(position)).toThrow('is no position');
  });

  it('that is gone is told what to do', () => {
    expect(new CursorGone('7', 'is older than what is kept')).toMatchObject({
      code: 'CURSOR_GONE',
      kind: 'gone',
      message: 'The cursor 7 is older than what is kept; take a snapshot and follow the changes from its cursor',
    });
  });
});
