import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  diagnoseExit,
  type ExitDiagnosis,
  type ExitEvidence,
  wantedPort,
} from "../../../../src/envoy/exits/exit-diagnosis.ts";

const noKill = { kind: "counted", cgroup: "/pod", before: 3, after: 3, limitBytes: 64 * 2 ** 20 } as const;

function diagnose(evidence: Partial<ExitEvidence>): ExitDiagnosis {
  return diagnoseExit({
    exit: { kind: "exited", code: 1 },
    asked: undefined,
    lines: [],
    oomKills: noKill,
    wasLive: false,
    bootstrap: undefined,
    portOwners: [],
    ...evidence,
  });
}

/** The same events in each layout of Envoy's log. */
const layouts = {
  own: (level: string, logger: string, message: string) =>
    `[2026-01-01 00:00:00.000][12][${level}][${logger}] [source/server/server.cc:449] ${message}`,
  istio: (level: string, logger: string, message: string) =>
    `2026-01-01T00:00:00.000000Z\t${level}\tenvoy ${logger} source/server/server.cc:449\t${message}\tthread=12`,
  json: (level: string, logger: string, message: string) =>
    JSON.stringify({
      time: "2026-01-01T00:00:00.000000Z",
      level,
      scope: `envoy ${logger}`,
      msg: message,
      thread: "12",
    }),
} as const;

describe("diagnoseExit(): a binary that was not started", () => {
  for (const [code, remedy] of [
    ["ENOENT", /name Envoy's binary/],
    ["EACCES", /make Envoy's binary executable/],
    ["E2BIG", undefined],
    [undefined, undefined],
  ] as const) {
    test(`${code ?? "no code"}: ${remedy === undefined ? "nobody knows what to do" : "the remedy follows"}`, () => {
      // The path is no code.
      const exit = { kind: "not-started", message: "spawn /ENOENT/EACCES/envoy", code } as const;
      const diagnosis = diagnose({ exit });
      assert.equal(diagnosis.reason, "not_started");
      if (remedy === undefined) assert.equal(diagnosis.remedy, undefined);
      else assert.match(diagnosis.remedy ?? "", remedy);
    });
  }
});

describe("diagnoseExit(): signals", () => {
  const killed = { kind: "signaled", signal: "SIGKILL" } as const;
  for (const [name, evidence, expected] of [
    [
      "SIGKILL with an OOM kill is one",
      { exit: killed, oomKills: { ...noKill, after: 4 } },
      {
        reason: "oom_kill",
        message:
          "killed by the kernel's OOM killer: oom_kill of memory cgroup /pod rose from 3 to 4 (limit 64 MiB)",
        exitCode: 137,
      },
    ],
    [
      "SIGKILL without one is not",
      { exit: killed },
      {
        reason: "signal",
        message:
          "killed by SIGKILL: by hand or by the runtime; no OOM kill was counted in memory cgroup /pod",
        exitCode: 137,
      },
    ],
    [
      "SIGKILL where nothing is known says so",
      { exit: killed, oomKills: { kind: "unknown", reason: "no memory cgroup" } },
      {
        reason: "signal",
        message:
          "killed by SIGKILL: by hand, by the runtime or by the OOM killer; OOM kills are not known (no memory cgroup)",
        exitCode: 137,
      },
    ],
    [
      "an OOM kill behind a shell is one",
      { exit: { kind: "exited", code: 137 }, oomKills: { ...noKill, after: 5 } },
      { reason: "oom_kill", exitCode: 137 },
    ],
    [
      "an OOM kill while the agent stops it is one",
      { exit: killed, asked: "stop", oomKills: { ...noKill, after: 4, limitBytes: undefined } },
      { reason: "oom_kill", exitCode: 137 },
    ],
    [
      "other signals do not count OOM kills",
      { exit: { kind: "signaled", signal: "SIGHUP" }, oomKills: { ...noKill, after: 4 } },
      { reason: "signal", message: "ended by SIGHUP", exitCode: 129 },
    ],
    [
      "the agent's own SIGKILL",
      { exit: killed, asked: "stop" },
      { reason: "asked", message: "stopped as asked (SIGKILL)", exitCode: 137 },
    ],
    ["a hung one", { exit: killed, asked: "hung" }, { reason: "hung", exitCode: 137 }],
    [
      "a newcomer that was given up",
      { exit: killed, asked: "aborted" },
      { reason: "asked", message: "given up by the agent before it was live (SIGKILL)", exitCode: 137 },
    ],
    [
      "the end of a handover",
      { exit: { kind: "exited", code: 0 }, asked: "handover" },
      { reason: "asked", message: "ended after its successor took over (exit code 0)", exitCode: 0 },
    ],
    [
      "a crash while it is stopped is a crash",
      { exit: { kind: "signaled", signal: "SIGSEGV" }, asked: "stop", wasLive: true },
      {
        reason: "signal",
        message: "crashed with SIGSEGV after it was live; it printed no reason",
        exitCode: 139,
      },
    ],
    [
      "a SIGTERM of somebody else, which Envoy turns into code 0",
      {
        exit: { kind: "exited", code: 0 },
        lines: [layouts.own("warning", "main", "caught ENVOY_SIGTERM")],
        wasLive: true,
      },
      {
        reason: "signal",
        message: "ended by a SIGTERM that the agent did not send (exit code 0)",
        exitCode: 0,
      },
    ],
    [
      "code 0 without a word",
      { exit: { kind: "exited", code: 0 }, wasLive: true },
      { reason: "exited", message: "ended by itself after it was live (exit code 0)", exitCode: 0 },
    ],
    [
      "a missing binary",
      { exit: { kind: "not-started", message: "spawn /no/envoy ENOENT", code: "ENOENT" } },
      { reason: "not_started", message: "could not be started: spawn /no/envoy ENOENT", exitCode: 127 },
    ],
  ] as const) {
    test(name, () => {
      const { remedy: _remedy, ...diagnosis } = diagnose(evidence);
      assert.deepEqual({ ...diagnosis, ...expected }, diagnosis);
    });
  }
});

for (const [layout, line] of Object.entries(layouts)) {
  describe(`diagnoseExit(): Envoy's words, ${layout} layout`, () => {
    const backtrace = [
      line("critical", "backtrace", "Caught Aborted, suspect faulting address 0x2522"),
      line("critical", "backtrace", "Backtrace (use tools/stack_decode.py to get line numbers):"),
      line("critical", "backtrace", "#0: [0x7f97359f8050]"),
      line("critical", "backtrace", "#1: [0x55aa4544e368]"),
    ];

    test("an abort is told with its last critical line and the frames of its backtrace", () => {
      const panic =
        "panic: cannot open shared memory region /envoy_shared_memory_770 check user permissions.";
      const diagnosis = diagnose({
        exit: { kind: "signaled", signal: "SIGABRT" },
        lines: [line("error", "main", "earlier"), line("critical", "assert", panic), ...backtrace],
      });
      assert.equal(diagnosis.reason, "abort");
      assert.equal(
        diagnosis.message,
        `aborted (SIGABRT) before it was live: ${panic}; a backtrace of 2 frames is in its output`,
      );
      assert.equal(diagnosis.exitCode, 134);
    });

    test("a crash without a reason is told with its backtrace", () => {
      const { message } = diagnose({
        exit: { kind: "signaled", signal: "SIGBUS" },
        lines: backtrace,
        wasLive: true,
      });
      assert.match(
        message,
        /^crashed with SIGBUS after it was live: Caught Aborted, .*; a backtrace of 2 frames/,
      );
    });

    for (const [name, words, bootstrap, field, message] of [
      [
        "an unknown field",
        "error `Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: invalid JSON  in envoy.config.bootstrap.v3.Bootstrap @   static_resources.clusters[0]: message envoy.config.cluster.v3.Cluster,   near 1:965 (offset 964):   no such field: 'conect_timeout') has unknown fields` initializing config 'goo.gle/debugonly    \n  b.json'",
        {},
        "static_resources.clusters[0].conect_timeout",
        "refused its bootstrap at static_resources.clusters[0].conect_timeout: there is no field conect_timeout in envoy.config.cluster.v3.Cluster",
      ],
      [
        "a value of the wrong form in a packed message, with the whole bootstrap after it",
        'error `Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in   envoy.config.bootstrap.v3.Bootstrap @ static_resources.listeners[0].filters[0].typed_config.<any>.drain_timeout:  message google.protobuf.Duration, near 1:774 (offset   773):  duration must end with   a single   \'s\'): {"node": {"id": "n"}} ` initializing config \'x\'',
        {},
        "static_resources.listeners[0].filters[0].typed_config.drain_timeout",
        "duration must end with a single 's'",
      ],
      [
        "an unknown type, found by its name",
        "error `Unable to parse JSON as proto (INVALID_ARGUMENT: could not find @type 'type.googleapis.com/envoy.NoSuch'): {\"node\": {}}` initializing config 'x'",
        { a: [{ typed_config: { "@type": "type.googleapis.com/envoy.NoSuch" } }] },
        "a[0].typed_config.@type",
        "could not find @type 'type.googleapis.com/envoy.NoSuch'",
      ],
      [
        "a broken rule, after the whole bootstrap as protobuf text",
        "error `Protobuf message is bad\nadmin {\n}\n: Proto constraint validation failed (BootstrapValidationError.StaticResources: embedded message failed validation | caused by StaticResourcesValidationError.Listeners[0]: embedded message failed validation | caused by ListenerValidationError.Address: embedded message failed validation | caused by AddressValidationError.SocketAddress: embedded message failed validation | caused by SocketAddressValidationError.PortValue: value must be less than or equal to 65535)` initializing config 'x'",
        {},
        "static_resources.listeners[0].address.socket_address.port_value",
        "value must be less than or equal to 65535",
      ],
      [
        "a broken rule of a packed message, found by its type",
        "error `: Proto constraint validation failed (HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)` initializing config 'x'",
        { f: [{ typed_config: { "@type": "x/envoy.v3.HttpConnectionManager" } }] },
        "f[0].typed_config.stat_prefix",
        "value length must be at least 1 characters",
      ],
      [
        "a missing file, found by its path",
        "error `Failed to load incomplete private key from path: /nope.key` initializing config 'goo.gle/debugproto   \n  b.json'",
        { tls: { private_key: { filename: "/nope.key" } } },
        "tls.private_key.filename",
        "Failed to load incomplete private key from path: /nope.key",
      ],
      [
        "a value that is there twice has no path",
        "error `route: unknown cluster 'nosuch'` initializing config 'x'",
        { a: "nosuch", b: "nosuch" },
        undefined,
        "refused its bootstrap: route: unknown cluster 'nosuch'",
      ],
      [
        "an address that is not local",
        "error `cannot bind '203.0.113.7:18181': Cannot assign requested address` initializing config 'x'",
        { l: { socket_address: { address: "203.0.113.7", port_value: 18181 } } },
        "l.socket_address",
        "cannot bind '203.0.113.7:18181': Cannot assign requested address",
      ],
    ] as const) {
      test(name, () => {
        const said = words.split("`")[1] ?? "";
        // In Envoy's own layouts each line of a message is a line of the output.
        const lines = [
          ...line("critical", "main", words).split("\n"),
          line("info", "main", "exiting"),
          ...said.split("\n"),
        ];
        const diagnosis = diagnose({ lines, bootstrap: JSON.stringify(bootstrap) });
        assert.equal(diagnosis.reason, "configuration");
        assert.equal(diagnosis.field, field);
        assert.ok(diagnosis.message.endsWith(message), diagnosis.message);
      });
    }

    const taken = [
      line(
        "error",
        "config",
        "listener 'l1' failed to bind: cannot bind '0.0.0.0:8080': Address already in use",
      ),
      line(
        "critical",
        "main",
        "error `cannot bind '0.0.0.0:8080': Address already in use` initializing config 'x'",
      ),
      "cannot bind '0.0.0.0:8080': Address already in use",
    ];

    test("a taken port is told with its owner", () => {
      assert.equal(wantedPort(taken), 8080);
      const diagnosis = diagnose({
        lines: taken,
        bootstrap: JSON.stringify({ l: { address: "0.0.0.0", port_value: 8080 } }),
        portOwners: [{ port: 8080, pid: 42, command: "nginx" }],
      });
      assert.equal(diagnosis.reason, "port_in_use");
      assert.equal(
        diagnosis.message,
        "could not bind 0.0.0.0:8080: port 8080 (wanted by Envoy) is taken by pid 42 (nginx)",
      );
      assert.equal(diagnosis.field, "l");
      assert.match(diagnose({ lines: taken }).message, /by nothing that listens now/);
    });

    test("what it said about a port before it was live does not explain a later end", () => {
      assert.equal(diagnose({ lines: taken, wasLive: true }).reason, "exited");
    });
  });
}

test("a flag that Envoy does not know is told as a configuration error", () => {
  const { reason, message } = diagnose({
    lines: [
      "                    [--base-id <uint32_t>]",
      "",
      "--nosuchflag -- Couldn't find match for argument",
    ],
  });
  assert.equal(reason, "configuration");
  assert.equal(message, "refused its command line: --nosuchflag -- Couldn't find match for argument");
});

test("a taken Unix socket is no port", () => {
  const lines = ["cannot bind 'admin.sock': Address already in use"];
  assert.equal(wantedPort(lines), undefined);
});

test("the message holds no secret that Envoy printed", () => {
  const { message } = diagnose({
    lines: [
      layouts.own("critical", "main", "error `bad value: password: hunter2-hunter2` initializing config 'x'"),
    ],
  });
  assert.ok(!message.includes("hunter2"), message);
});
