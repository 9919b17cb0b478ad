import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { paths } from "../../../../src/config/sources/paths.ts";
import { findSdsSockets } from "../../../../src/config/sources/sds-sockets.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { SdsServer } from "../../../../src/sds/server.ts";
import { Metrics } from "../../../../src/telemetry/metrics.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";

const folder = temporaryFolder();
const home = process.cwd();

describe("a look at the workload's SDS socket", () => {
  before(() => {
    process.chdir(folder.path);
    mkdirSync(paths.sdsFolder, { recursive: true });
  });
  after(() => {
    process.chdir(home);
    folder[Symbol.dispose]();
  });

  test("finds nothing", async () => {
    assert.deepEqual(await findSdsSockets("socket"), { isWorkloadExternal: false, hasCredentials: false });
  });

  test("takes a file that a killed process left for what it is, and leaves it to the server to replace", async () => {
    const leave = `require("net").createServer().listen(${JSON.stringify(paths.sdsSocket)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ["-e", leave]);
    assert.ok(existsSync(paths.sdsSocket));
    assert.equal((await findSdsSockets("socket")).isWorkloadExternal, false);
    assert.ok(existsSync(paths.sdsSocket));
  });

  test("knows an agent of its own kind", async () => {
    const { log } = testLog();
    await using _ = await SdsServer.listen(
      { path: paths.sdsSocket, mode: 0o600, crlPath: undefined, privateKeyProvider: undefined },
      { secrets: new Watch({}), log, metrics: new Metrics("istio_agent_") },
    );
    assert.equal((await findSdsSockets("socket")).isWorkloadExternal, false);
  });

  test("leaves a server alone that takes the connection and says nothing", async () => {
    const server = createServer().listen(paths.sdsSocket);
    await once(server, "listening");
    try {
      assert.equal((await findSdsSockets("socket")).isWorkloadExternal, true);
    } finally {
      server.close();
    }
  });
});
