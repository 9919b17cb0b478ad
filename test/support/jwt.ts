/** A JWT whose signature nobody checks. */
export function jwtExpiringAt(expiry: Date, more: Readonly<Record<string, unknown>> = {}): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    sub: "system:serviceaccount:demo:web",
    exp: Math.floor(expiry.getTime() / 1_000),
    ...more,
  };
  return `${part({ alg: "none" })}.${part(claims)}.signature`;
}
