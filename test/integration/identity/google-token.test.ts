import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GoogleTokens } from "../../../src/identity/google-token.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { jwtExpiringAt } from "../../support/jwt.ts";
import { TestMetadataServer } from "../../support/metadata-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const audience = "demo.svc.id.goog";
const withinMs = 10_000;

describe("tokens from Google's metadata server", () => {
  test("are asked for again until there is one, and again half-way through their life", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "tokens/istio-token");
    await using server = await TestMetadataServer.listen(() => ({ status: 503, body: "not yet" }));
    const { log, lines } = testLog();
    const metrics = new Metrics("istio_agent_");
    const tokens = new GoogleTokens({ host: server.host, port: server.port, audience }, path, {
      log,
      metrics,
      now: () => new Date(),
    });
    await using tasks = new TaskGroup();
    tasks.spawn("fetch-token", (signal) => tokens.run(signal));
    await tokens.tried;
    assert.throws(() => statSync(path), /ENOENT/);
    assert.match(
      lines.join("\n"),
      /no token from the metadata server; trying again.*answers 503.*GCE_METADATA_HOST/,
    );

    const token = (n: number): string => jwtExpiringAt(new Date(Date.now() + 2_000), { aud: audience, n });
    const first = token(1);
    server.answer = () => ({ body: `${first}\n` });
    await eventually("the token", () => assert.equal(readFileSync(path, "utf8"), first), { withinMs });
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(server.audiences[0], `${audience} full`);

    const next = token(2);
    server.answer = () => ({ body: next });
    await eventually("the next", () => assert.equal(readFileSync(path, "utf8"), next), { withinMs });
    assert.doesNotMatch(lines.join("\n"), new RegExp(first.slice(0, 20)));
    assert.match(await metrics.render(), /istio_agent_token_fetches_total\{result="failed"\} [1-9]/);
  });
});
