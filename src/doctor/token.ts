/**
 * The workload's token: there, readable, for this workload, and still fresh.
 */
import { statSync } from "node:fs";
import { readRegularText } from "../files/read-regular-file.ts";
import type { GoogleTokenOptions } from "../identity/google-token.ts";
import { readClaims, type TokenClaims } from "../identity/token.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** The file as it was found. */
export type TokenFile =
  | { readonly kind: "unreadable"; readonly reason: string }
  | { readonly kind: "empty" }
  | { readonly kind: "opaque" }
  | { readonly kind: "jwt"; readonly claims: TokenClaims; readonly writtenAt: Date };

/** For whom the token must be. */
export interface ExpectedToken {
  readonly path: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Who gives it, where it is not mounted. */
  readonly google: GoogleTokenOptions | undefined;
}

const name = "token";

/** Istio's audience. */
const istioCa = "istio-ca";

/** The kubelet replaces a token at this share of its life. */
const alarmShare = 0.8;

const mount = `mount a projected service account token with audience ${istioCa} there`;
const kubelet = "the kubelet should have replaced it: look at its log, or restart the pod";

/** The gravest thing about the token. */
export function judgeToken(file: TokenFile, expected: ExpectedToken, now: Date): Finding {
  const { path, google } = expected;
  if (google !== undefined && file.kind === "unreadable") {
    return ok(name, `the agent will fetch it from the metadata server ${google.host}:${google.port}`);
  }
  switch (file.kind) {
    case "unreadable":
      return failure(name, `${path} cannot be read: ${file.reason}`, mount);
    case "empty":
      return failure(name, `${path} is empty`, mount);
    case "opaque":
      return ok(name, `${path} is not a JWT, so that its age is unknown`);
    case "jwt":
      return judgeClaims(file.claims, expected, now);
  }
}

function judgeClaims(claims: TokenClaims, expected: ExpectedToken, now: Date): Finding {
  const { path } = expected;
  const { exp, iat, nbf, audiences } = claims;
  const since = (time: Date): string => formatDuration(Math.abs(now.getTime() - time.getTime()));
  if (exp !== undefined && exp <= now) {
    return failure(name, `${path} expired ${since(exp)} ago, at ${exp.toISOString()}`, kubelet);
  }
  if (nbf !== undefined && nbf > now) {
    return failure(
      name,
      `${path} is not valid before ${nbf.toISOString()}, which is ${since(nbf)} from now`,
      "compare the clocks of this machine and of the issuer",
    );
  }
  const subject = `system:serviceaccount:${expected.namespace}:${expected.serviceAccount}`;
  const isKubernetes = claims.subject?.startsWith("system:serviceaccount:") === true;
  if (isKubernetes && expected.serviceAccount !== "" && claims.subject !== subject) {
    return failure(
      name,
      `${path} is for ${claims.subject ?? "nobody"}, but POD_NAMESPACE and SERVICE_ACCOUNT say ${subject}`,
      "correct the variables, or mount the token of this pod's service account",
    );
  }
  const audience = expected.google?.audience ?? istioCa;
  if (!audiences.includes(audience)) {
    const has = audiences.length === 0 ? "no audience" : `the audience ${audiences.join(", ")}`;
    return warning(
      name,
      `${path} has ${has}, not ${audience}`,
      `${mount}, unless this control plane asks for another audience`,
    );
  }
  if (exp === undefined) return ok(name, `${path} never expires`);
  const left = `expires in ${since(exp)}, at ${exp.toISOString()}`;
  if (iat === undefined) return ok(name, `${path} ${left}`);
  const share = (now.getTime() - iat.getTime()) / (exp.getTime() - iat.getTime());
  const seen = `${path} ${left}; ${Math.max(0, Math.round(share * 100))}% of its life is over`;
  return share >= alarmShare ? warning(name, seen, kubelet) : ok(name, seen);
}

/** Look; the token itself is never part of the answer. */
export function lookAtToken(path: string): TokenFile {
  let text: string;
  let writtenAt: Date;
  try {
    text = readRegularText(path).trim();
    writtenAt = statSync(path).mtime;
  } catch (error) {
    return { kind: "unreadable", reason: errorMessage(error) };
  }
  if (text === "") return { kind: "empty" };
  const claims = readClaims(text);
  return claims === undefined ? { kind: "opaque" } : { kind: "jwt", claims, writtenAt };
}
