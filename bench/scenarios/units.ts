/** A whole number with its thousands apart. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A share of one core. */
export function formatShare(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** Bytes, as they are. */
export function formatBytes(value: number): string {
  return `${formatCount(value)} B`;
}

/** Milliseconds, with three digits that count. */
export function formatMs(value: number): string {
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ms`;
}

/** Kilobytes of 1,000 bytes. */
export function formatKilobytes(value: number): string {
  return `${value.toFixed(1)} KB`;
}
