/** Envoy's admin does what a path means, not what it says: the agent's forwarder lets none through that differs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { listenForAdmin } from "../../src/envoy/admin/forwarder.ts";
import { readAdminTarget } from "../../src/envoy/admin/path.ts";
import { eventually } from "../support/eventually.ts";
import { PlainEnvoy } from "../support/plain-envoy.ts";
import { bareRequest, sendRaw, statusOf } from "../support/raw-http.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testLog } from "../support/test-log.ts";

/** Ways to write a path; `%1` stands for its first letter, `@` for the rest. */
const forms = [
  "/%1@",
  "/%1@?",
  "/%1@?x=1",
  "//%1@",
  "///%1@",
  "/./%1@",
  "/x/../%1@",
  "/x/%2e%2e/%1@",
  "/%2e/%1@",
  "/..//%1@",
  "/..;/%1@",
  "/\\%1@",
  "/x\\..\\%1@",
  "/%2f%1@",
  "/x/..%2f%1@",
  "/%5c%1@",
  "/%1@#",
  "/%1@#x",
  "/%1@?#",
  "/%1@/",
  "/%1@/.",
  "/%1@/x/..",
  "/%1@;x",
  "/%1@%3f",
  "/%1@%20",
  "/%1@%00",
  "/%1@\t",
  "\\%1@",
  "%1@",
  "http://localhost/%1@",
  "http://localhost//%1@",
  "/\u00e9/../%1@",
];

/** Each form with the first letter as it is, encoded, and encoded twice. */
function writings(path: string): readonly string[] {
  const [first, rest] = [path.slice(0, 1), path.slice(1)];
  const encoded = `%${first.charCodeAt(0).toString(16)}`;
  return [first, encoded, encoded.replace("%", "%25")].flatMap((letter) =>
    forms.map((form) => form.replace("%1", letter).replace("@", rest)),
  );
}

describe("the admin port before a real Envoy", () => {
  test("no writing of a path reaches Envoy that means another one to it", async () => {
    using folder = temporaryFolder();
    const adminPath = join(folder.path, "admin.sock");
    await using envoy = await PlainEnvoy.start({ folder: folder.path, adminPath, bootstrap: {} });
    const direct = { path: adminPath };
    await eventually(
      "live",
      async () => assert.equal(statusOf(await sendRaw(direct, bareRequest("GET /ready"))), 200),
      { withinMs: 15_000 },
    );
    let disguised = 0;
    for (const target of writings("ready")) {
      const answer = await sendRaw(direct, bareRequest(`GET ${target}`));
      const means = answer.includes("LIVE");
      const read = readAdminTarget(target);
      if (means && read.kind === "refused") disguised += 1;
      assert.equal(read.kind === "known" && read.path === "/ready", means && read.kind === "known", target);
    }
    assert.ok(disguised > 10, `Envoy understood only ${disguised} writings, so that this shows little`);

    let quits = 0;
    await using port = await listenForAdmin({
      host: "127.0.0.1",
      port: 0,
      socketPath: () => adminPath,
      unavailable: () => "Envoy has quit",
      quit: () => {
        quits += 1;
      },
      drained: () => undefined,
      log: testLog().log,
    });
    const target = { host: "127.0.0.1", port: port.port };
    // Envoy sends a body to a HEAD, which is none of the client's.
    const heads = "HEAD /ready HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(2);
    const answers = await sendRaw(target, `${heads}${bareRequest("HEAD /server_info")}`);
    assert.equal(answers.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 3, answers);
    for (const path of writings("quitquitquit")) {
      await sendRaw(target, bareRequest(`POST ${path}`, { "content-length": "0" }));
    }
    assert.equal(quits, 3);
    assert.equal(statusOf(await sendRaw(direct, bareRequest("GET /ready"))), 200, envoy.lines.join("\n"));
  });
});
