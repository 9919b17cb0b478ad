import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { spawnChild } from "../../src/process/child.ts";
import { variableOf } from "../../src/schema/own-variables.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { mainPath, type RunningOutrider, runOutrider, startOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly temporary: string;
  readonly state: string;
}

async function place(folder: string): Promise<Place> {
  const temporary = join(folder, "t");
  const state = join(folder, "s");
  const { mkdirSync } = await import("node:fs");
  mkdirSync(temporary);
  const agents = { [variableOf("runtimeFolder")]: join(folder, "a") };
  return { temporary, state, env: { ENVOY_PATH: await testEnvoy(), TMPDIR: temporary, ...agents } };
}

/** Processes whose working folder is below `folder`. */
function processesBelow(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder);
    } catch {
      return false;
    }
  });
}

async function serving(up: RunningOutrider): Promise<void> {
  await eventually(
    "a good request",
    () =>
      assert.ok(
        up.lines.some((line) => line.startsWith("requests: 200 from api")),
        up.lines.join("\n"),
      ),
    { withinMs: 60_000 },
  );
}

describe("outrider up", () => {
  test("--once runs a round of checks, prints each, exits 0 and leaves nothing but its state", async () => {
    using folder = temporaryFolder();
    const { env, temporary, state } = await place(folder.path);
    const { exit, output } = await runOutrider({
      args: ["up", "--once", "--stateDir", state],
      env,
      withinMs: 90_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.match(
      output,
      /✔ web reaches api over mutual TLS: 200 from api, called as spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/,
    );
    assert.match(output, /✔ api refuses plain text/);
    assert.match(output, /every check passed/);
    assert.deepEqual(readdirSync(temporary), []);
    assert.deepEqual(readdirSync(state).toSorted(), [
      "ca-cert.pem",
      "ca-key.pem",
      "root-cert.pem",
      "token-key.json",
    ]);
  });

  test("without a terminal prints a line per change; SIGINT twice within a second stops it in order", async () => {
    using folder = temporaryFolder();
    const { env, temporary, state } = await place(folder.path);
    await using up = startOutrider({ args: ["up", "--stateDir", state], env });
    await serving(up);
    assert.ok(up.lines.some((line) => line.startsWith("web: Envoy live")));
    assert.ok(
      up.lines.some((line) =>
        line.startsWith("api: certificate spiffe://cluster.local/ns/demo/sa/api until 20"),
      ),
    );
    const beside = { cwd: folder.path, env, withinMs: 60_000 };
    const one = await runOutrider({ args: ["status", "--name", "web"], ...beside });
    assert.deepEqual(one.exit, { kind: "exited", code: 0 }, one.output);
    assert.match(one.output, /^identity +spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web,/m);
    const several = await runOutrider({ args: ["certs"], ...beside });
    assert.deepEqual(several.exit, { kind: "exited", code: 64 }, several.output);
    assert.match(several.output, /choose with --name one of api-1\.demo, web-1\.demo/);
    const pages =
      up.lines
        .find((line) => line.startsWith("pages: "))
        ?.split(" ")
        .slice(1) ?? [];
    const texts = await Promise.all(pages.map(async (page) => (await fetch(page)).text()));
    assert.deepEqual(
      texts.map((text) => /<title>(.*) – outrider</.exec(text)?.[1]),
      ["The demo mesh", "web-1.demo", "api-1.demo"],
    );
    assert.match(texts[0] ?? "", /<td>spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web<\/td>/);
    const configuration =
      up.lines.find((line) => line.startsWith("configuration: "))?.slice("configuration: ".length) ?? "";
    writeFileSync(join(configuration, "broken.yaml"), "kind: [\n");
    await eventually(
      "the refusal",
      () => assert.ok(up.lines.some((line) => /^control plane: refused .*broken\.yaml:\d/.test(line))),
      { withinMs: 10_000 },
    );
    const before = up.lines.length;
    await sleep(2_000);
    assert.ok(up.lines.length - before <= 2, "lines come without a change");

    up.kill("SIGINT");
    await sleep(200);
    up.kill("SIGINT");
    assert.deepEqual(await up.exitWithin(20_000), { kind: "exited", code: 0 });
    assert.match(up.lines.at(-2) ?? "", /^stopping: \d+ requests good, 0 bad/);
    assert.match(up.lines.at(-1) ?? "", /^your edits are kept: /);
    assert.deepEqual(readdirSync(temporary), []);
    assert.deepEqual(processesBelow(temporary), []);
  });

  test("a second signal stops it at once, and still leaves nothing", async () => {
    using folder = temporaryFolder();
    const { env, temporary, state } = await place(folder.path);
    await using up = startOutrider({ args: ["up", "--stateDir", state], env });
    await serving(up);
    up.kill("SIGTERM");
    up.kill("SIGINT");
    await up.exitWithin(10_000);
    assert.deepEqual(readdirSync(temporary), []);
    assert.deepEqual(processesBelow(temporary), []);
  });

  test("ports that are taken are named with their owners, all at once", async () => {
    const [first = 0, second = 0] = await freePorts(2);
    const servers = [first, second].map((port) => createServer().listen(port, "127.0.0.1"));
    try {
      const { exit, output } = await runOutrider({
        args: ["up", "--once", "--ports", `web.admin=${first},api.inbound=${second}`],
        env: { ENVOY_PATH: await testEnvoy() },
        withinMs: 20_000,
      });
      assert.deepEqual(exit, { kind: "exited", code: 64 }, output);
      assert.match(output, new RegExp(`port ${first} \\(web\\.admin\\) is taken by pid ${process.pid} `));
      assert.match(output, new RegExp(`port ${second} \\(api\\.inbound\\) is taken by pid ${process.pid} `));
    } finally {
      for (const server of servers) server.close();
    }
  });

  test("on a terminal draws a picture of its size, and a closed terminal stops everything", async () => {
    using folder = temporaryFolder();
    const { env, temporary, state } = await place(folder.path);
    const terminal = openTerminal(folder.path, { ...env, TERM: "xterm" }, state);
    try {
      for (const [columns, rows] of [
        [80, 24],
        [120, 40],
        [200, 50],
      ] as const) {
        await eventually("the terminal", () => assert.ok(terminal.device() !== ""), { withinMs: 20_000 });
        execFileSync("stty", ["-F", terminal.device(), "cols", String(columns), "rows", String(rows)]);
        await eventually(
          `the picture on ${columns} × ${rows}`,
          () => {
            const lines = terminal.frame();
            assert.match(lines.join("\n"), /200 from api, called as spiffe/);
            assert.match(lines.join("\n"), /web→api yes, api→web yes, plain text→web no/);
            assert.ok(lines.length < rows, `${lines.length} of ${rows} rows`);
            // The list below fills what there is, with lines as long as there is room for.
            assert.ok(lines.length === rows - 1 || rows > 24, `${lines.length} of ${rows} rows`);
            for (const line of lines) assert.ok(line.length <= columns, line);
            assert.match(lines[1] ?? "", /^Ctrl-C stops everything\. Edit .*\/mesh/);
            assert.match(lines.join("\n"), /^What happened/m);
          },
          { withinMs: 60_000 },
        );
      }
      assert.ok(terminal.drawn().includes("\u001B[32m●"));
    } finally {
      await terminal.close();
    }
    await eventually("nothing is left", () => assert.deepEqual(processesBelow(temporary), []), {
      withinMs: 20_000,
    });
    assert.deepEqual(readdirSync(temporary), []);
  });

  for (const [name, variables] of [
    ["NO_COLOR", { TERM: "xterm", NO_COLOR: "1" }],
    ["TERM=dumb", { TERM: "dumb" }],
  ] as const) {
    test(`heeds ${name}, keeps what was edited, and starts from it`, async () => {
      using folder = temporaryFolder();
      const { env, state } = await place(folder.path);
      const terminal = openTerminal(folder.path, { ...env, ...variables }, state);
      try {
        await eventually("the first answer", () => assert.match(terminal.drawn(), /200 from api/), {
          withinMs: 60_000,
        });
        for (const colour of ["1", "2", "32"])
          assert.ok(!terminal.drawn().includes(`\u001B[${colour}m`), "no colours");
        if (name === "TERM=dumb") assert.ok(!terminal.drawn().includes("\u001B"), "no escapes at all");
        const [mesh = ""] = /\/\S+\/mesh(?=\s)/.exec(terminal.drawn()) ?? [];
        writeFileSync(join(mesh, "mine.yaml"), denyWeb);
        await eventually("what it does", () => assert.match(terminal.drawn(), /403/), { withinMs: 20_000 });
        process.kill(terminal.pid(), "SIGINT");
        await eventually(
          "the word",
          () => assert.match(terminal.drawn(), /your edits are kept: outrider up --configDir/),
          {
            withinMs: 30_000,
          },
        );
      } finally {
        await terminal.close();
      }
      const [, kept = ""] = /--configDir (\S+)/.exec(terminal.drawn()) ?? [];
      assert.equal(readFileSync(join(kept, "mine.yaml"), "utf8"), denyWeb);
      if (name !== "TERM=dumb") return;
      const again = await runOutrider({
        args: ["up", "--once", "--stateDir", state, "--configDir", kept],
        env,
        withinMs: 90_000,
      });
      assert.match(again.output, /✔ web is ready/);
      assert.match(again.output, /✖ web reaches api over mutual TLS: 403/);
    });
  }
});

const denyWeb = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-web, namespace: demo}
spec:
  selector: {matchLabels: {app: api}}
  action: DENY
  rules: [{from: [{source: {principals: [cluster.local/ns/demo/sa/web]}}]}]
`;

/** outrider up on a real pseudo-terminal of 80 × 24; its end is the end of the terminal. */
function openTerminal(
  folder: string,
  env: Readonly<Record<string, string>>,
  state: string,
): {
  readonly drawn: () => string;
  /** The lines of the last whole frame. */
  readonly frame: () => readonly string[];
  readonly pid: () => number;
  readonly device: () => string;
  readonly close: () => Promise<void>;
} {
  const [typescript, pidFile] = [join(folder, "typescript"), join(folder, "pid")];
  const text = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  const command = `stty cols 80 rows 24; echo $$ $(tty) >${pidFile}; exec ${process.execPath} ${mainPath} up --stateDir ${state}`;
  const terminal = spawnChild({
    file: "script",
    args: ["--quiet", "--flush", "--command", command, typescript],
    env: { ...env, PATH: process.env["PATH"], HOME: process.env["HOME"] },
    stdout: "ignore",
    stderr: "ignore",
  });
  return {
    drawn: () => text(typescript),
    frame: () => {
      const frames = text(typescript).split("\u001B[H");
      const last = (frames.length > 2 ? frames.at(-2) : undefined) ?? "";
      return stripVTControlCharacters(last).split("\r\n").slice(0, -1);
    },
    pid: () => Number(text(pidFile).split(" ")[0]),
    device: () => text(pidFile).trim().split(" ")[1] ?? "",
    close: async () => {
      // The end of script is the end of its terminal: what runs on it gets SIGHUP.
      terminal.kill("SIGKILL");
      await terminal.exited;
    },
  };
}
