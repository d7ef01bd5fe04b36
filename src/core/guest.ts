/** Random bytes in a guest's secret. */
const SECRET_BYTES = 24;
const SECRET = /^[A-Za-z0-9_-]{32}$/;

/** A new secret for a guest's cookie: 192 random bits, in characters a cookie can hold. */
export function createGuestSecret(): string {
  return crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64({ alphabet: "base64url" });
}

/** Whether a cookie's value is one {@linkcode createGuestSecret} could have made. */
export function isGuestSecret(value: string): boolean {
  return SECRET.test(value);
}
