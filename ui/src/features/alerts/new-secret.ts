const BYTES = 24

/** A secret for signing: 192 random bits, written as libraries for Standard Webhooks take them. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES))
  return `whsec_${btoa(String.fromCharCode(...bytes))}`
}
