/*
 * What a kubelet would give the sidecars of the demo mesh: a service account token, signed with the demonstration key of the
 * control plane, and its root.
 *
 *     node credentials.mjs STATE_FOLDER NAMESPACE/SERVICE_ACCOUNT=FOLDER ...
 */
import { createPrivateKey, sign } from "node:crypto";
import { chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** User and group of the sidecar. */
const proxyId = 1337;
const lifetimeSeconds = 30 * 24 * 3600;

const [state, ...targets] = process.argv.slice(2);
const key = createPrivateKey({
  key: JSON.parse(readFileSync(join(state, "token-key.json"), "utf8")),
  format: "jwk",
});
const root = readFileSync(join(state, "root-cert.pem"));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

for (const target of targets) {
  const [account, folder] = target.split("=");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "outrider-demo",
    sub: `system:serviceaccount:${account.replace("/", ":")}`,
    aud: ["istio-ca"],
    iat: now,
    exp: now + lifetimeSeconds,
  };
  const signed = `${encode({ alg: "ES256", kid: "outrider-demo" })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  const token = join(folder, "istio-token");
  writeFileSync(token, `${signed}.${signature.toString("base64url")}`, { mode: 0o600 });
  if (process.getuid() === 0) chownSync(token, proxyId, proxyId);
  writeFileSync(join(folder, "root-cert.pem"), root);
}
