/** A Nomad that hangs holds up nobody whose token can be checked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { NomadTokens } from "../../../../src/controlplane/ca/nomad-tokens.ts";
import { testLog } from "../../../support/test-log.ts";

test("tokens are checked by the keys that are known while Nomad does not answer", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "1" }] });
  const token = await new SignJWT({ nomad_job_id: "web", nomad_namespace: "demo" })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setAudience("istio-ca")
    .setExpirationTime("1h")
    .sign(privateKey);
  let nowMs = 0;
  let questions = 0;
  const hanging = Promise.withResolvers<string>();
  const tokens = new NomadTokens(
    {
      fetchKeys: () => {
        questions += 1;
        return questions === 1 ? Promise.resolve(keys) : hanging.promise;
      },
      ...{ audiences: ["istio-ca"], log: testLog().log, now: () => nowMs },
    },
    { authenticate: () => Promise.reject(new Error("is not for others")) },
  );
  const caller = { namespace: "demo", serviceAccount: "web" };
  assert.deepEqual(await tokens.authenticate(`Bearer ${token}`), caller);
  nowMs = 3_600_000;
  assert.deepEqual(await tokens.authenticate(`Bearer ${token}`), caller);
  assert.equal(questions, 2);
  // What comes late counts from then on.
  hanging.resolve(JSON.stringify({ keys: [] }));
  await hanging.promise;
  nowMs = 3_605_000;
  await assert.rejects(
    async () => {
      for (let tries = 0; tries < 100; tries += 1) await tokens.authenticate(`Bearer ${token}`);
    },
    { code: "UNAUTHENTICATED" },
  );
});
