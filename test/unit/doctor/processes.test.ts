import { describe, test } from "node:test";
import { judgeValidation } from "../../../src/doctor/bootstrap.ts";
import {
  judgeHotRestartVersion,
  judgeMissingBinary,
  judgeVersion,
} from "../../../src/doctor/envoy-binary.ts";
import { judgePorts, judgeSharedPorts, type PortUsers } from "../../../src/doctor/ports.ts";
import { expectFinding } from "../../support/findings.ts";

const nobody: PortUsers = { pid: undefined, envoys: [], strays: [], listeners: undefined };
const running: PortUsers = { ...nobody, pid: 7, envoys: [8, 9] };
const ports = [{ port: 15021, purpose: "ENVOY_STATUS_PORT" }];
const owner = (pid: number | undefined, port = 15021) => ({ port, pid, command: `process ${pid ?? "?"}` });

describe("ports", () => {
  test("free ones, and those of the running agent, are well", () => {
    expectFinding(judgePorts(ports, [], nobody)[0], "ok", /^free: 15021$/);
    expectFinding(judgePorts(ports, [owner(8)], running)[0], "ok", /held by the running agent \(pid 7\)/);
  });

  test("a stranger is named", () => {
    expectFinding(
      judgePorts(ports, [owner(42)], nobody)[0],
      "failure",
      /port 15021 \(ENVOY_STATUS_PORT\) is taken by pid 42 \(process 42\)/,
      /stop it, or choose another port/,
    );
  });

  test("a killed agent's Envoy is ended by the next start", () => {
    expectFinding(
      judgePorts(ports, [owner(5)], { ...nobody, strays: [5] })[0],
      "warning",
      /pid 5.*an agent that was killed/,
      /next start/,
    );
  });

  test("an owner that cannot be seen may be the running agent", () => {
    expectFinding(
      judgePorts(ports, [owner(undefined)], running)[0],
      "warning",
      /cannot be seen from here/,
      /as root/,
    );
    expectFinding(
      judgePorts(ports, [owner(undefined)], nobody)[0],
      "failure",
      /cannot be seen from here/,
      /stop it/,
    );
    const address = { host: "0.0.0.0", port: 15021 };
    const listener = { name: "health", address, exclusive: undefined, tls: [] };
    const told = { ...running, listeners: [listener] };
    expectFinding(judgePorts(ports, [owner(undefined)], told)[0], "ok", /held by the running agent/);
  });

  test("a port that is shared through SO_REUSEPORT is a finding of its own", () => {
    const both = [owner(8), owner(42), owner(8, 8080), owner(9, 8080)];
    expectFinding(judgePorts(ports, both, running)[0], "ok", /running agent/);
    expectFinding(
      judgeSharedPorts(both, running),
      "failure",
      /shares ports.*15021.*pid 42/,
      /ports of its own/,
    );
    expectFinding(judgeSharedPorts([owner(8), owner(42, 1)], running), "ok", /nobody shares .*\(15021\)/);
    expectFinding(judgeSharedPorts([owner(42)], nobody), "ok", /no agent runs/);
  });
});

describe("Envoy", () => {
  const answered = (code: number, ...output: readonly string[]) =>
    ({ exit: { kind: "exited", code }, output, tookMs: 1 }) as const;
  const line = (version: string) => `/bin/envoy  version: 9e55/${version}/Clean/RELEASE/BoringSSL`;

  test("a named binary that is not there fails, none at all is fetched", () => {
    expectFinding(
      judgeMissingBinary({ kind: "named-but-missing", path: "/x", source: "ENVOY_PATH" }),
      "failure",
      /ENVOY_PATH names \/x/,
      /correct the path/,
    );
    expectFinding(
      judgeMissingBinary({ kind: "missing", tried: ["PATH"] }),
      "warning",
      /looked at PATH.*through pip/,
      /in the image/,
    );
  });

  test("the version is told, and compared with the tested one", () => {
    expectFinding(judgeVersion("/bin/envoy", answered(0, line("1.40.3"))), "ok", /is Envoy 1\.40\.3$/);
    expectFinding(
      judgeVersion("/bin/envoy", answered(0, line("1.41.0-dev"))),
      "warning",
      /1\.41\.0-dev/,
      /tested/,
    );
  });

  test("what is no Envoy is found out", () => {
    const cases = [answered(0, "v24.1.0"), answered(2, line("1.40.0")), answered(0)];
    for (const answer of cases) {
      expectFinding(judgeVersion("/bin/x", answer), "failure", /does not answer --version/, /--binaryPath/);
    }
    const foreign = {
      exit: { kind: "not-started", message: "spawn Exec format error", code: "ENOEXEC" },
      output: [],
      tookMs: 1,
    } as const;
    expectFinding(judgeVersion("/bin/x", foreign), "failure", /Exec format error/, /--binaryPath/);
  });

  test("hot restart versions must be equal", () => {
    expectFinding(judgeHotRestartVersion(answered(0, "11.104"), undefined), "ok", /^11\.104$/);
    expectFinding(judgeHotRestartVersion(answered(0, "11.104"), "11.104"), "ok", /as the running/);
    expectFinding(judgeHotRestartVersion(answered(0, "12.1"), "11.104"), "warning", /"11\.104"/, /swapMode/);
    expectFinding(
      judgeHotRestartVersion(answered(0, "disabled"), undefined),
      "warning",
      /disabled/,
      /hot restart/,
    );
  });

  test("what Envoy says against the bootstrap is quoted", () => {
    const launch = { binary: "/bin/envoy", bootstrap: "{}" };
    const refused = (...lines: readonly string[]) =>
      ({ kind: "invalid", exit: { kind: "exited", code: 1 }, lines }) as const;
    expectFinding(
      judgeValidation("sidecar.yaml", launch, { kind: "valid" }),
      "ok",
      /sidecar\.yaml, and valid/,
    );
    const critical =
      "[2026-01-01 00:00:00.000][1][critical][main] [source/server/server.cc:1] error initializing: no such field: 'x'";
    expectFinding(
      judgeValidation("mine.yaml", launch, refused("noise", critical, "exiting")),
      "failure",
      /mine\.yaml, but Envoy refuses it: .*no such field: 'x'/,
      /correct mine\.yaml/,
    );
    expectFinding(
      judgeValidation("mine.yaml", launch, refused()),
      "failure",
      /exited with code 1/,
      /correct/,
    );
    expectFinding(
      judgeValidation("mine.yaml", launch, { kind: "no-answer", afterMs: 30_000 }),
      "failure",
      /but Envoy did not finish validating the bootstrap within 30000 ms/,
      /correct/,
    );
  });
});
