/** SIGTERM ends the agent within its deadline in whatever state it is, and leaves no process and no folder behind. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fetchHttp } from "../../src/net/http-client.ts";
import { edsCluster, grpcCluster } from "../support/envoy-config.ts";
import { envoysOf, pidsIn } from "../support/envoys-of.ts";
import { eventually } from "../support/eventually.ts";
import { type EnvoyScript, ScriptedEnvoy } from "../support/scripted-envoy.ts";
import { silentServer } from "../support/silent-server.ts";
import { StandaloneSidecar, type StandaloneOptions } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Subject {
  readonly sidecar: StandaloneSidecar;
  readonly envoy: ScriptedEnvoy;
  readonly silentPort: number;
}

interface State {
  readonly name: string;
  /** What Envoy's program is from the start. */
  readonly script?: EnvoyScript;
  readonly options?: Partial<StandaloneOptions>;
  /** Resolves once it is in that state. */
  readonly reach: (subject: Subject) => Promise<void>;
  readonly code: 0 | 143;
  /** What it says after the signal. */
  readonly says?: string;
  /** Processes that are not the agent's to end. */
  readonly leaves?: RegExp;
}

/** The deadline, with room for a busy machine, in milliseconds: a drain takes some here, and flushing one second. */
const withinMs = 15_000;

/** Ask for another Envoy; what becomes of it is not waited for. */
function askForAnother({ sidecar }: Subject): void {
  sidecar.reload().catch(() => undefined);
}

async function says(sidecar: StandaloneSidecar, text: RegExp): Promise<void> {
  await eventually(text.source, () => assert.ok(sidecar.agent.lines.some((line) => text.test(line))), {
    withinMs: 20_000,
    everyMs: 10,
  });
}

/** A newcomer that waits for a control plane for ever. */
function writeNeverLive({ sidecar, silentPort }: Subject): void {
  sidecar.write({ clusters: [grpcCluster("silent", silentPort), edsCluster("waits", "silent")] });
}

/** A cluster that keeps Envoy from being LIVE for as long as its first health check takes. */
function firstCheckedCluster(silentPort: number): object {
  return {
    ...grpcCluster("checked", silentPort),
    health_checks: [
      {
        timeout: "1.5s",
        interval: "60s",
        unhealthy_threshold: 1,
        healthy_threshold: 1,
        http_health_check: { path: "/" },
      },
    ],
  };
}

/** @throws while the first Envoy still has it */
async function adminIsTaken({ configPath }: StandaloneSidecar): Promise<void> {
  const path = join(configPath, "generations/1/admin.sock");
  await assert.rejects(fetchHttp({ target: { path }, url: "/ready", timeoutMs: 1_000 }));
}

async function runs(subject: Subject, word: string): Promise<void> {
  await eventually(
    `a process with ${word}`,
    () => assert.ok(commandLinesIn(subject.sidecar.folder).some((line) => line.includes(word))),
    { withinMs: 20_000, everyMs: 10 },
  );
}

const states: readonly State[] = [
  {
    name: "the first Envoy starts and ignores SIGTERM",
    script: "deaf",
    reach: (subject) => runs(subject, "sleep"),
    leaves: /sleep 1/,
    code: 143,
  },
  {
    name: "each Envoy dies before it serves, and the next one waits for its time",
    script: "crash",
    options: { flags: ["--restartBackoff=1h", "--restartMaxBackoff=1h"] },
    reach: async ({ sidecar }) => {
      await says(sidecar, /delayMs=[1-9]\d{6}\b/);
    },
    code: 143,
  },
  {
    name: "Envoy serves and has started a helper that holds its output",
    script: "with-helper",
    reach: ({ sidecar }) => sidecar.ready(),
    leaves: /sleep 30/,
    code: 0,
  },
  {
    name: "a newcomer's bootstrap is checked",
    reach: async (subject) => {
      subject.envoy.become("endless-validation");
      subject.sidecar.write({});
      askForAnother(subject);
      await runs(subject, "validate");
    },
    code: 0,
  },
  {
    name: "a newcomer's hot restart version is asked for",
    options: { flags: ["--swapMode=hot"] },
    reach: async (subject) => {
      subject.envoy.become("endless-version");
      subject.sidecar.write({});
      askForAnother(subject);
      await runs(subject, "--hot-restart-version");
    },
    code: 0,
  },
  ...(["overlap", "hot"] as const).flatMap((mode): readonly State[] => [
    {
      name: `${mode}: a newcomer is not LIVE yet`,
      options: { flags: [`--swapMode=${mode}`] },
      reach: async (subject) => {
        writeNeverLive(subject);
        askForAnother(subject);
        await eventually("two Envoys", () => assert.equal(envoysOf(subject.sidecar.folder).length, 2), {
          withinMs: 20_000,
        });
      },
      code: 0,
    },
    {
      name: `${mode}: a replaced Envoy still drains`,
      options: { flags: [`--swapMode=${mode}`, "--parentShutdownDuration=10m"] },
      reach: async ({ sidecar }) => {
        const { report } = await sidecar.swap();
        assert.equal(report.result, "swapped");
      },
      code: 0,
    },
  ]),
  {
    name: "hot: a newcomer is about to be LIVE, and has the old one's admin interface",
    options: { flags: ["--swapMode=hot"] },
    reach: async (subject) => {
      subject.sidecar.write({ clusters: [firstCheckedCluster(subject.silentPort)] });
      askForAnother(subject);
      await eventually("two Envoys", () => assert.equal(envoysOf(subject.sidecar.folder).length, 2), {
        withinMs: 20_000,
        everyMs: 10,
      });
      await eventually("the admin interface", () => adminIsTaken(subject.sidecar), { withinMs: 20_000 });
    },
    // Who cannot be asked to drain has an unknown number of them.
    says: "connections=0",
    code: 0,
  },
  {
    name: "cold: the one that is to be replaced drains",
    options: { flags: ["--swapMode=cold"], proxyConfig: { terminationDrainDuration: "3s" } },
    reach: async (subject) => {
      subject.sidecar.write({});
      askForAnother(subject);
      await says(subject.sidecar, /draining Envoy before its replacement starts/);
    },
    // It is drained to its end, as if there had been no swap.
    says: 'drained\tbecause="its time is over"',
    code: 0,
  },
  {
    name: "cold: the replacement is not LIVE yet",
    options: { flags: ["--swapMode=cold"] },
    reach: async (subject) => {
      writeNeverLive(subject);
      askForAnother(subject);
      await eventually(
        "the second Envoy",
        () =>
          assert.deepEqual(
            envoysOf(subject.sidecar.folder).map(({ generation }) => generation),
            [2],
          ),
        { withinMs: 20_000 },
      );
    },
    code: 0,
  },
  {
    name: "Envoy is stopped by a signal, and found hung",
    options: { flags: ["--hangChecks=1"] },
    reach: async ({ sidecar }) => {
      process.kill(await sidecar.envoyPid(), "SIGSTOP");
      await says(sidecar, /Envoy hangs/);
    },
    code: 0,
  },
  {
    name: "a profile is taken, and clients keep their connections to every server",
    reach: async ({ sidecar }) => {
      const { folder, configPath, ports, trafficPort } = sidecar;
      const target = { host: "127.0.0.1", port: ports.status };
      fetchHttp({ target, url: "/debug/pprof/profile?seconds=300", timeoutMs: 310_000 }).catch(
        () => undefined,
      );
      for (const where of [
        ...[ports.status, ports.admin, trafficPort].map((port) => ({ host: "127.0.0.1", port })),
        { path: join(configPath, "app.sock") },
        { path: join(configPath, "XDS") },
        { path: join(folder, "var/run/secrets/workload-spiffe-uds/socket") },
      ]) {
        const client = createConnection(where);
        client.on("error", () => undefined);
        await once(client, "connect");
      }
    },
    code: 0,
  },
];

function commandLinesIn(folder: string): readonly string[] {
  return pidsIn(folder).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return [];
    }
  });
}

describe("SIGTERM ends the agent while", { concurrency: 4 }, () => {
  for (const { name, script = "real", options, reach, code, says: word, leaves } of states) {
    test(name, async (context) => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(temporaryFolder()).path;
      const envoy = await ScriptedEnvoy.in(folder);
      const silent = stack.use(await silentServer());
      envoy.become(script);
      const sidecar = stack.use(await StandaloneSidecar.start({ folder, envoyPath: envoy.path, ...options }));
      if (script === "real") await sidecar.ready();
      await reach({ sidecar, envoy, silentPort: silent.port });
      const from = sidecar.agent.lines.length;
      const askedAt = performance.now();
      sidecar.agent.kill("SIGTERM");
      const exit = await sidecar.agent.exitWithin(withinMs);
      context.diagnostic(`ended after ${Math.round(performance.now() - askedAt)} ms`);
      assert.deepEqual(exit, { kind: "exited", code }, sidecar.agent.lines.slice(-20).join("\n"));
      assert.ok(!sidecar.agent.lines.some((line) => line.includes("does not close")));
      if (word !== undefined)
        assert.ok(
          sidecar.agent.lines.slice(from).some((line) => line.includes(word)),
          word,
        );
      assert.deepEqual(
        commandLinesIn(folder).filter((line) => leaves?.test(line) !== true),
        [],
      );
      assert.deepEqual(readdirSync(join(sidecar.configPath, "generations")), []);
    });
  }
});
