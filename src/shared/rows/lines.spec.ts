import fc from 'fast-check';
import { LineFault, LineSplitter, type Line } from './lines.ts';

function linesOf(pieces: readonly (string | Buffer)[], bytesMax = 1_000): Line[] {
  const splitter = new LineSplitter(bytesMax);
  const lines = pieces.flatMap((piece) => splitter.push(Buffer.from(piece)));
  return [...lines, ...splitter.end()];
}

const shown = (lines: readonly Line[]): string[] =>
  lines.map((line) => (line instanceof LineFault ? `! ${line.message}` : line));

describe('LineSplitter', () => {
  it('cuts at line feeds, and the last line needs none', () => {
    expect(linesOf(['a\nb\n\nc'])).toEqual(['a', 'b', '', 'c']);
    expect(linesOf(['a\nb\n'])).toEqual(['a', 'b']);
    expect(linesOf([])).toEqual([]);
  });

  it('joins what arrives in pieces, also within a character', () => {
    const [euro] = [Buffer.from('€')];
    expect(linesOf(['x', euro.subarray(0, 1), euro.subarray(1), '\ny\n', 'z'])).toEqual(['x€', 'y', 'z']);
  });

  it('gives the same lines however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'ü', '€', '\n', '\r\n', '"', '𝄞'), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 8 }), (characters, cuts) => {
        const bytes = Buffer.from(characters.join(''));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
        const whole = bytes.toString('utf8').split('\n');
        if (whole.at(-1) === '') whole.pop();
        expect(linesOf(pieces)).toEqual(whole);
      }),
    );
  });

  it.each([
    ['in one piece', [`short\n${'x'.repeat(11)}\nnext`]],
    ['in many', ['short\nxxxx', 'xxxxx', 'xx', 'x\nnext']],
    ['at the end', ['short\n', 'x'.repeat(11), '\nnext']],
    ['as the last of a piece', [`short\n${'x'.repeat(11)}\n`, 'next']],
  ])('refuses a line beyond the limit and goes on behind it, %s', (_, pieces) => {
    expect(shown(linesOf(pieces, 10))).toEqual(['short', '! is longer than 10 bytes', 'next']);
  });

  it('counts bytes, not characters, and leaves a line of just the limit alone', () => {
    expect(shown(linesOf([`a\n${'ü'.repeat(5)}\n${'ü'.repeat(6)}\n`], 10))).toEqual([
      'a',
      'üüüüü',
      '! is longer than 10 bytes',
    ]);
  });

  it('keeps nothing of a line that is too long', () => {
    const splitter = new LineSplitter(1_000);
    const piece = Buffer.alloc(1_000, 'x');
    for (let pieces = 0; pieces < 1_000; pieces += 1) splitter.push(piece);
    expect((splitter as unknown as { unfinished: Buffer[] }).unfinished).toEqual([]);
    expect(shown([...splitter.push(Buffer.from('\n')), ...splitter.end()])).toEqual(['! is longer than 1000 bytes']);
  });

  it('refuses a line that is not UTF-8 alone', () => {
    const wrong = Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62, 0x0a, 0xc3]);
    expect(shown(linesOf([wrong]))).toEqual(['a', '! is not valid UTF-8', 'b', '! is not valid UTF-8']);
  });

  it('passes by a byte order mark at the start, and only there', () => {
    expect(linesOf(['\uFEFFa\n\uFEFFb'])).toEqual(['a', '\uFEFFb']);
  });
});
