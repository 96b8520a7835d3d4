import { makeExactValidator } from 'envalid';

export function whole(defaultValue: number, min: number, max: number, unit: string, desc: string) {
  const parse = makeExactValidator<number>((given) => {
    // Digits only: '1e3', '0x10', '5.0' and ' 5' are more often a slip than a wish.
    const value = /^\d{1,16}$/.test(given) ? Number(given) : NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`is ${quote(given)}; it must be a whole number from ${min} to ${max} (${unit})`);
  });
  return { ...parse({ default: defaultValue, desc }), unit, range: `${min}..${max}`, initial: defaultValue };
}

export function quote(given: string): string {
  return given === '' ? 'empty' : JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}…` : given);
}
