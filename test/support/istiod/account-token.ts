/** Tokens that the cluster of `kubernetes.ts` takes. */
import { jwtExpiringAt } from "../jwt.ts";

/** @param more what the cluster says besides whose account it is */
export function accountToken(namespace: string, name: string, more: object = {}): string {
  return jwtExpiringAt(new Date(Date.now() + 3_600_000), {
    iss: "https://kubernetes.default.svc",
    aud: ["istio-ca"],
    sub: `system:serviceaccount:${namespace}:${name}`,
    "kubernetes.io": { namespace, serviceaccount: { name }, ...more },
  });
}
