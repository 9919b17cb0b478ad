/** dig(1) through the proxy and past it, to dnsmasq: what is not of the mesh comes back as the upstream gave it. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { kubernetes } from "../../support/name-table.ts";
import { runningDns } from "../../support/running-dns.ts";

const run = promisify(execFile);

/** Undefined where both programs are; they have to be in CI. */
function whyNot(): string | undefined {
  try {
    execFileSync("sh", ["-c", "command -v dig && command -v dnsmasq"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return "needs dig(1) and dnsmasq(8)";
  }
}

/** Every record as dig prints it, after the code; the order of records means nothing. */
async function dig(port: number, ...words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run("dig", [
    ...[
      "@127.0.0.1",
      "-p",
      String(port),
      "+noall",
      "+comments",
      "+answer",
      "+timeout=5",
      "+tries=1",
      ...words,
    ],
  ]);
  const code = /status: ([A-Z]+)/.exec(stdout)?.[1] ?? "none";
  const records = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  return [code, ...records.map((line) => line.replaceAll(/\s+/g, " ")).toSorted()];
}

test("dig has the same of dnsmasq through the proxy as past it, and the mesh's names of the proxy", async (t) => {
  const obstacle = whyNot();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return;
  }
  await using stack = new AsyncDisposableStack();
  const [port = 0] = await freePorts(1);
  const many = Array.from({ length: 60 }, (_, index) => `--host-record=many.example,198.51.100.${index + 1}`);
  const dnsmasq = spawnChild({
    file: "dnsmasq",
    args: [
      ...["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--bind-interfaces"],
      ...[`--port=${port}`, "--listen-address=127.0.0.1", "--local=/#/", ...many],
      ...["--host-record=both.example,203.0.113.7,2001:db8::7", "--cname=alias.example,both.example"],
      ...["--txt-record=text.example,some words", "--srv-host=_http._tcp.example,both.example,8080,1,2"],
      ...["--mx-host=example,both.example,10", "--ptr-record=9.2.0.192.in-addr.arpa,back.example"],
    ],
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: () => undefined,
    stderr: () => undefined,
  });
  stack.defer(async () => {
    dnsmasq.kill("SIGKILL");
    await dnsmasq.exited;
  });
  await eventually("dnsmasq", async () => assert.equal((await dig(port, "both.example"))[0], "NOERROR"), {
    withinMs: 10_000,
  });
  const dns = stack.use(
    await runningDns({
      table: { "api.ns1.svc.cluster.local": kubernetes("api", "ns1", "10.0.0.1", "fd00::1") },
      options: { upstreamPort: port, cacheEntries: 100 },
    }),
  );
  dns.rewrite("nameserver 127.0.0.1\n", "rename");
  const through = dns.target.port;
  await eventually(
    "the upstream",
    async () => assert.deepEqual(await dig(through, "both.example"), await dig(port, "both.example")),
    { withinMs: 20_000 },
  );
  const questions: readonly (readonly string[])[] = [
    ["both.example", "A"],
    ["both.example", "AAAA"],
    ["alias.example", "A"],
    ["text.example", "TXT"],
    ["_http._tcp.example", "SRV"],
    ["example", "MX"],
    ["-x", "192.0.2.9"],
    ["nowhere.example", "A"],
    ["both.example", "HTTPS"],
    ["many.example", "A"],
    ["many.example", "A", "+noedns"],
    ["many.example", "A", "+tcp"],
    ["both.example", "A", "+dnssec", "+bufsize=4096"],
  ];
  for (const question of questions) {
    // The second one may be of what is kept.
    for (const port_ of [through, through])
      assert.deepEqual(await dig(port_, ...question), await dig(port, ...question), question.join(" "));
  }
  assert.deepEqual(await dig(through, "api.ns1", "A"), ["NOERROR", "api.ns1. 30 IN A 10.0.0.1"]);
  assert.deepEqual(await dig(through, "api", "AAAA", "+tcp"), ["NOERROR", "api. 30 IN AAAA fd00::1"]);
  assert.deepEqual(await dig(through, "api", "MX"), ["NOERROR"]);
  assert.deepEqual(await dig(through, "-x", "10.0.0.1"), [
    "NOERROR",
    "1.0.0.10.in-addr.arpa. 30 IN PTR api.ns1.svc.cluster.local.",
  ]);
});
