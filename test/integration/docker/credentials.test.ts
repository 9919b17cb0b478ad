/** The demo mesh of docker/compose.yaml: its sidecars' tokens are such as the control plane takes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { demoIssuer, openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const script = join(import.meta.dirname, "../../../docker/compose/credentials.mjs");

test("credentials for the demo mesh are signed with the control plane's key, and for nobody else to read", async () => {
  using folder = temporaryFolder();
  const [state, web] = ["state", "web"].map((name) => join(folder.path, name)) as [string, string];
  const issuer = await openTokenIssuer(state);
  writeFileSync(join(state, "root-cert.pem"), "root");
  mkdirSync(web);
  execFileSync(process.execPath, [script, state, `demo/web=${web}`], { stdio: "pipe" });
  const token = readFileSync(join(web, "istio-token"), "utf8");
  const { payload } = await jwtVerify(token, createLocalJWKSet(issuer.jwks), {
    issuer: demoIssuer,
    audience: "istio-ca",
    subject: "system:serviceaccount:demo:web",
  });
  assert.ok(payload.exp !== undefined && payload.exp > Date.now() / 1_000);
  assert.equal(statSync(join(web, "istio-token")).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(web, "root-cert.pem"), "utf8"), "root");
});
