/**
 * An alarm for a token that nobody replaces: by the time it has expired, the CA is of no use any more.
 */
import { readRegularText } from "../files/read-regular-file.ts";
import { ticks } from "../lifecycle/tick.ts";
import type { IdentityDependencies } from "./secret-store.ts";
import { readClaims, type TokenClaims, type TokenKeeper } from "./token.ts";

/** Share of a token's life after which somebody should have replaced it; the kubelet begins to at this share. */
const lateShare = 0.8;

const everyMs = 30_000;

/** True from 80 % of a token's life on. A token that does not say from when to when it lives is never late. */
export function isLate({ iat, exp }: Pick<TokenClaims, "iat" | "exp">, now: Date): boolean {
  if (iat === undefined || exp === undefined) return false;
  const lifeMs = exp.getTime() - iat.getTime();
  return now.getTime() >= iat.getTime() + lifeMs * lateShare;
}

/** Look at the token now and then, until `signal` aborts; one warning for each token that is late. */
export async function watchToken(
  path: string,
  keeper: TokenKeeper,
  { log, metrics, now }: IdentityDependencies,
  signal: AbortSignal,
): Promise<void> {
  metrics.computed(
    "token_expiry_seconds",
    "Seconds until the token for the control plane expires.",
    {},
    () => {
      const exp = claimsOf(path)?.exp;
      return exp === undefined ? undefined : (exp.getTime() - now().getTime()) / 1_000;
    },
  );
  let warnedOf: number | undefined;
  const look = (): void => {
    const claims = claimsOf(path);
    const expiry = claims?.exp?.getTime();
    if (claims !== undefined && isLate(claims, now()) && expiry !== warnedOf) {
      warnedOf = expiry;
      log.warn("the token is near its end and has not been replaced", {
        path,
        expiry: claims.exp?.toISOString(),
        remedy: keeper.expired,
      });
    }
  };
  look();
  for await (const _ of ticks(everyMs, signal)) look();
}

function claimsOf(path: string): TokenClaims | undefined {
  try {
    return readClaims(readRegularText(path).trim());
  } catch {
    return undefined;
  }
}
