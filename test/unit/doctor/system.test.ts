import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { baseIdsIn, judgeBaseIds } from "../../../src/doctor/base-id.ts";
import { type ConfigFolder, judgeConfigPath } from "../../../src/doctor/config-path.ts";
import { judgeCpu } from "../../../src/doctor/cpu.ts";
import {
  judgeMigration,
  judgePortRange,
  parsePortRange,
  parseReservedPorts,
} from "../../../src/doctor/kernel.ts";
import { judgeLimits, parseLimits } from "../../../src/doctor/limits.ts";
import { judgeMemory } from "../../../src/doctor/memory.ts";
import { effectiveCapabilities, judgePrivileges, type Privileges } from "../../../src/doctor/privileges.ts";
import { judgePidNamespace, namespaceDepth, type PidNamespace } from "../../../src/doctor/processes.ts";
import { judgeSharedMemory } from "../../../src/doctor/shared-memory.ts";
import { judgeSocketPaths } from "../../../src/doctor/socket-paths.ts";
import { expectFinding } from "../../support/findings.ts";

describe("/dev/shm", () => {
  test("writable with room is well", () => {
    expectFinding(judgeSharedMemory({ kind: "writable", freeBytes: 65_536 }, true), "ok", /64 KiB free/);
  });

  test("missing costs hot swaps only, unless they were asked for", () => {
    expectFinding(
      judgeSharedMemory({ kind: "missing" }, false),
      "warning",
      /\/dev\/shm does not exist/,
      /mount a writable tmpfs.*without hot restart/,
    );
    expectFinding(judgeSharedMemory({ kind: "missing" }, true), "failure", /does not exist/, /emptyDir/);
  });

  test("read-only or full is named as such", () => {
    expectFinding(
      judgeSharedMemory({ kind: "not-writable", reason: "EROFS" }, false),
      "warning",
      /cannot be written: EROFS/,
      /mount/,
    );
    expectFinding(
      judgeSharedMemory({ kind: "writable", freeBytes: 4_095 }, false),
      "warning",
      /is full: 4095 bytes/,
      /larger/,
    );
  });
});

describe("base IDs", () => {
  const table = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000: 00000002 00000000 00000000 0002 01 100 @envoy_domain_socket_parent_0",
    "0000: 00000002 00000000 00000000 0002 01 101 @envoy_domain_socket_udp_child_12342",
    "0000: 00000002 00000000 00000000 0002 01 102 @somebody_else_7",
    "0000: 00000002 00000000 00000000 0002 01 103 @envoy_domain_socket_child_18446744072082828491",
  ].join("\n");

  test("are read from the abstract sockets, the epoch's digit cut off", () => {
    assert.deepEqual(baseIdsIn(table), [0, 1234, 266_824_417]);
  });

  test("a large one is the same in a socket's name, which has a sign, and in that of its segment", () => {
    const segments = [{ path: "/dev/shm/envoy_shared_memory_2668244170", uid: 0 }];
    expectFinding(
      judgeBaseIds({ inUse: baseIdsIn(table), segments, uid: 0 }),
      "ok",
      /in use: 0, 1234, 266824417; segments without a running Envoy: 0/,
    );
  });

  test("a segment of another user is named, with what removes it", () => {
    const segments = [{ path: "/dev/shm/envoy_shared_memory_0", uid: 0 }];
    expectFinding(
      judgeBaseIds({ inUse: [], segments, uid: 1337 }),
      "warning",
      /uid 1337.*envoy_shared_memory_0 \(uid 0\)/,
      /rm \/dev\/shm\/envoy_shared_memory_0/,
    );
  });

  test("root replaces anybody's, and own segments do no harm", () => {
    const segments = [{ path: "/dev/shm/envoy_shared_memory_12340", uid: 5 }];
    expectFinding(
      judgeBaseIds({ inUse: [1234], segments, uid: 0 }),
      "ok",
      /in use: 1234; segments without a running Envoy: 0/,
    );
    expectFinding(
      judgeBaseIds({ inUse: [], segments, uid: 5 }),
      "ok",
      /no base ID.*without a running Envoy: 1/,
    );
  });
});

describe("user and capabilities", () => {
  const usual: Privileges = {
    uid: 1337,
    gid: 1337,
    capabilities: 0n,
    unprivilegedPortStart: 1_024,
    interceptionMode: "REDIRECT",
    ports: [{ port: 15021, purpose: "ENVOY_STATUS_PORT" }],
  };
  const judge = (changes: Partial<Privileges>) => judgePrivileges({ ...usual, ...changes });

  test("1337 without capabilities is what a sidecar needs", () => {
    const [user, capabilities] = judge({});
    expectFinding(user, "ok", /uid 1337, gid 1337/);
    expectFinding(capabilities, "ok", /CapEff 0000000000000000; NET_ADMIN is not needed/);
  });

  test("another user is captured by Istio's rules, but not where nothing is captured", () => {
    expectFinding(judge({ uid: 1000, gid: 1000 })[0], "warning", /uid 1000.*REDIRECT/, /runAsUser/);
    expectFinding(judge({ uid: 1000, gid: 1000, interceptionMode: "NONE" })[0], "ok", /uid 1000/);
  });

  test("TPROXY needs NET_ADMIN", () => {
    const tproxy = { uid: 0, interceptionMode: "TPROXY" };
    expectFinding(judge(tproxy)[1], "failure", /NET_ADMIN is missing/, /securityContext/);
    expectFinding(judge({ ...tproxy, capabilities: 1n << 12n })[1], "ok", /NET_ADMIN is there/);
  });

  test("a low port needs NET_BIND_SERVICE, unless the kernel gives it to all", () => {
    const ports = [{ port: 80, purpose: "ENVOY_STATUS_PORT" }];
    expectFinding(
      judge({ ports })[1],
      "failure",
      /NET_BIND_SERVICE is missing.*80 \(ENVOY_STATUS_PORT\)/,
      /ip_unprivileged_port_start/,
    );
    expectFinding(judge({ ports, capabilities: 1n << 10n })[1], "ok", /NET_BIND_SERVICE is there/);
    expectFinding(
      judge({ ports, unprivilegedPortStart: 0 })[1],
      "ok",
      /needed only for listeners below port 0/,
    );
    expectFinding(judge({ ports: [{ port: 0, purpose: "off" }] })[1], "ok", /CapEff/);
  });

  test("CapEff is read from the status", () => {
    assert.equal(effectiveCapabilities("Name:\tx\nCapEff:\t0000000000001400\n"), 0x1400n);
    assert.equal(effectiveCapabilities(""), 0n);
  });
});

describe("limits", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units",
    "Max core file size        0                    unlimited            bytes",
    "Max open files            1024                 524288               files",
  ].join("\n");

  test("the hard limit of files counts, the soft one of cores", () => {
    assert.deepEqual(parseLimits(text), { hardOpenFiles: 524_288, softCoreBytes: 0 });
    assert.deepEqual(parseLimits("Max open files   unlimited   unlimited  files"), {
      hardOpenFiles: Infinity,
      softCoreBytes: Infinity,
    });
  });

  // Hard limit, verdict, what is said of it.
  const cases = [
    [100, "failure", /room for about 18 proxied connections/],
    [1_024, "warning", /room for about 480 proxied connections/],
    [16_384, "ok", /about 8160/],
    [Infinity, "ok", /^unlimited$/],
  ] as const;
  for (const [hardOpenFiles, verdict, seen] of cases) {
    test(`${hardOpenFiles} open files: ${verdict}`, () => {
      const [finding] = judgeLimits({ hardOpenFiles, softCoreBytes: 0, wantsCoreDump: false });
      expectFinding(finding, verdict, seen, verdict === "ok" ? undefined : /nofile/);
    });
  }

  test("core dumps that are wanted but impossible", () => {
    const [, finding] = judgeLimits({ hardOpenFiles: Infinity, softCoreBytes: 0, wantsCoreDump: true });
    expectFinding(finding, "warning", /ISTIO_ENVOY_ENABLE_CORE_DUMP/, /ulimit -c/);
    assert.equal(judgeLimits({ hardOpenFiles: Infinity, softCoreBytes: 1, wantsCoreDump: true }).length, 1);
  });
});

describe("memory", () => {
  const mib = 1_048_576;
  const judge = (headroomBytes: number | undefined, envoyBytes?: number) =>
    judgeMemory({
      figures: {
        limitBytes: 256 * mib,
        usageBytes: undefined,
        workingSetBytes: undefined,
        availableBytes: undefined,
        headroomBytes,
      },
      envoyBytes,
      ownBytes: 50 * mib,
    });

  test("a start needs room for one Envoy, a swap for two", () => {
    expectFinding(judge(79 * mib), "failure", /limit of 256 MiB; 79 MiB are free.*at least 79 MiB/, /raise/);
    expectFinding(judge(100 * mib), "warning", /not enough for a second Envoy/, /swapped cold/);
    expectFinding(judge(160 * mib), "ok", /two Envoys fit/);
    expectFinding(judge(undefined), "ok", /no limit is known/);
  });

  test("beside a running Envoy its own size counts, and this process does not", () => {
    expectFinding(judge(70 * mib, 100 * mib), "ok", /120 MiB are free.*uses 100 MiB: a second one fits/);
    expectFinding(judge(69 * mib, 100 * mib), "warning", /a second one does not fit/, /swapped cold/);
  });
});

describe("cpu", () => {
  // Concurrency, limit, CPUs, verdict.
  const cases = [
    [undefined, 0.5, 8, "ok"],
    [2, undefined, 2, "ok"],
    [2, 1.5, 8, "ok"],
    [3, 1.5, 8, "warning"],
    [1, 0.1, 8, "ok"],
    [4, undefined, 2, "warning"],
  ] as const;
  for (const [concurrency, limit, available, verdict] of cases) {
    test(`${concurrency ?? "any"} threads on ${limit ?? "unlimited"} of ${available} CPUs: ${verdict}`, () => {
      const finding = judgeCpu({ concurrency, limit, available, throttled: undefined });
      expectFinding(finding, verdict, /CPUs/, verdict === "ok" ? undefined : /at most 2/);
    });
  }

  test("throttled in most periods is a warning, however many threads there are", () => {
    const facts = { concurrency: 1, limit: 0.1, available: 2 };
    const throttled = { periods: 50, throttledPeriods: 48, share: 0.96 };
    expectFinding(
      judgeCpu({ ...facts, throttled }),
      "warning",
      /limited to 0\.1; the kernel throttled it in 48 of 50 periods \(96 %\)/,
      /raise the CPU limit/,
    );
    expectFinding(
      judgeCpu({ ...facts, throttled: { periods: 50, throttledPeriods: 1, share: 0.02 } }),
      "ok",
      /throttled in 1 of 50 periods/,
    );
    // A process at rest runs in a period or two, and may be throttled in one of them.
    expectFinding(
      judgeCpu({ ...facts, throttled: { periods: 1, throttledPeriods: 1, share: 1 } }),
      "ok",
      /1 of 1/,
    );
  });
});

describe("kernel settings", () => {
  test("tcp_migrate_req off is a risk for overlap swaps, with how to set it", () => {
    expectFinding(judgeMigration("1\n"), "ok", /is 1/);
    expectFinding(judgeMigration("0\n"), "warning", /is 0; .*1 connection in 100,000/, /sysctl -w .*=1/);
    expectFinding(judgeMigration(undefined), "warning", /no net\.ipv4\.tcp_migrate_req/, /5\.14/);
  });

  const ports = [
    { port: 15021, purpose: "ENVOY_STATUS_PORT" },
    { port: 40_000, purpose: "ProxyConfig statusPort" },
  ];

  test("ports among the ephemeral ones are named", () => {
    expectFinding(
      judgePortRange(ports, [32_768, 60_999], []),
      "warning",
      /32768-60999.*: 40000 \(ProxyConfig statusPort\)$/,
      /ip_local_reserved_ports=40000/,
    );
    expectFinding(judgePortRange(ports, [1_024, 65_535], []), "warning", /15021.*40000/, /=15021,40000/);
  });

  test("reserved ports are safe", () => {
    expectFinding(
      judgePortRange(ports, [32_768, 60_999], parseReservedPorts("39999-40001")),
      "ok",
      /no port/,
    );
  });

  test("ranges are read", () => {
    assert.deepEqual(parsePortRange("32768\t60999\n"), [32_768, 60_999]);
    assert.deepEqual(parseReservedPorts("8080,9148-9150\n"), [
      [8080, 8080],
      [9148, 9150],
    ]);
    assert.deepEqual(parseReservedPorts("\n"), []);
  });
});

describe("PID namespace", () => {
  const usual: PidNamespace = { init: ["/pause"], depth: 2, childStates: ["S"], agentPid: undefined };
  const judge = (changes: Partial<PidNamespace>) => judgePidNamespace({ ...usual, ...changes });

  test("outrider as PID 1, or an init, is well", () => {
    expectFinding(judge({ agentPid: 1, init: ["sh"] }), "ok", /outrider is PID 1/);
    expectFinding(judge({}), "ok", /PID 1 is \/pause, in a PID namespace of its own, depth 2/);
    expectFinding(judge({ depth: 1, init: [] }), "ok", /another user's process.*machine's PID namespace/);
  });

  test("a shell as PID 1 keeps SIGTERM to itself", () => {
    expectFinding(
      judge({ init: ["/bin/sh", "-c", "outrider proxy"] }),
      "warning",
      /a shell \(\/bin\/sh -c/,
      /exec/,
    );
  });

  test("uncollected processes are counted", () => {
    expectFinding(judge({ childStates: ["Z", "S", "Z"] }), "warning", /left 2 ended processes/, /tini/);
  });

  test("the depth is the number of pids", () => {
    assert.equal(namespaceDepth("NSpid:\t4242\t17\t1\n"), 3);
    assert.equal(namespaceDepth(""), 1);
  });
});

describe("socket paths", () => {
  test("relative paths of the release fit", () => {
    const paths = {
      configPath: "etc/istio/proxy",
      xds: "etc/istio/proxy/XDS",
      sds: "./var/run/socket",
      application: "a",
    };
    expectFinding(judgeSocketPaths(paths), "ok", /the longest has 45 of 107 bytes/);
  });

  test("a deep folder leaves no room for a generation's socket", () => {
    const configPath = `/${"x".repeat(79)}`;
    const paths = { configPath, xds: `${configPath}/XDS`, sds: "s", application: undefined };
    expectFinding(judgeSocketPaths(paths), "failure", /admin\.sock has 110 bytes of 107/, /configPath/);
  });
});

describe("configPath", () => {
  const usual: ConfigFolder = {
    path: "/etc/istio/proxy",
    existing: "/etc/istio/proxy",
    problem: undefined,
    type: 0x01021994,
    freeBytes: 64 * 1_048_576,
    freeInodes: 10_000,
  };
  // What changes, verdict, what is said, what is advised.
  const cases: readonly (readonly [
    string,
    Partial<ConfigFolder>,
    "ok" | "warning" | "failure",
    RegExp,
    RegExp?,
  ])[] = [
    ["there with room", {}, "ok", /^\/etc\/istio\/proxy is writable, 64 MiB free on tmpfs$/],
    ["to be made", { existing: "/etc" }, "ok", /\(to be made in \/etc\) is writable/],
    ["not writable", { problem: "EROFS" }, "failure", /cannot be written: EROFS/, /emptyDir/],
    ["no bytes left", { freeBytes: 1_000 }, "failure", /is full: 1000 bytes/, /make room/],
    ["no inodes left", { freeInodes: 0 }, "failure", /0 inodes free/, /make room/],
    ["little room", { freeBytes: 2_097_152 }, "warning", /only 2 MiB free/, /make room/],
    ["on NFS", { type: 0x6969 }, "warning", /on nfs.*sockets may not work/, /writable volume/],
    ["on an unknown file system", { type: 0x1234 }, "ok", /file system 0x1234/],
  ];
  for (const [what, changes, verdict, seen, remedy] of cases) {
    test(`${what}: ${verdict}`, () => {
      expectFinding(judgeConfigPath({ ...usual, ...changes }), verdict, seen, remedy);
    });
  }
});
