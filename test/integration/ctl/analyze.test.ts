/** Checks of configuration in files and folders, in the forms that people and tools read. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { runCtl } from "../../support/outriderctl.ts";
import { service } from "../../support/mesh-objects.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function route(name: string, host: string, to: object, timeout = "1s"): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace: "demo" },
    spec: { hosts: [host], http: [{ timeout, route: [{ destination: to }] }] },
  };
}

const documents = (...objects: readonly object[]): string =>
  objects.map((object) => stringify(object)).join("---\n");
const api = "api.demo.svc.cluster.local";

test("what is wrong is told with code, object and place, the worst first, and the exit code says so", async () => {
  using folder = temporaryFolder();
  const [good, bad] = ["good.yaml", "bad.yaml"].map((name) => join(folder.path, name));
  assert.ok(good !== undefined && bad !== undefined);
  writeFileSync(good, documents(service("api", [{ port: 80 }]), route("api", "api", { host: api })));
  writeFileSync(
    bad,
    documents(
      route("again", "api", { host: "cart" }),
      route("late", "cart", { host: api, subset: "v9" }, "soon"),
    ),
  );
  const found = await runCtl("analyze", folder.path);
  assert.equal(found.code, 79);
  assert.deepEqual(
    found.lines.map((line) => line.replace(/ [^ ]*\//g, " ").slice(0, 63)),
    [
      "Error [IST0101] (VirtualService again bad.yaml:1) spec.http[0].route",
      "Error [IST0106] (VirtualService late bad.yaml:24) spec.http[0].timeo",
      "Error [IST0109] (VirtualService api good.yaml:21) spec.hosts[0]: api",
    ].map((line) => line.slice(0, 63)),
    found.lines.join("\n"),
  );
  const some = await runCtl("analyze", good, "--failure-threshold", "Warning");
  assert.deepEqual(some, {
    code: 0,
    lines: [`✔ No validation issues found when analyzing ${good}.`],
    errors: [],
  });
  const suppressed = await runCtl(
    ...["analyze", folder.path, "--suppress", "IST0106", "--suppress", "IST0101=VirtualService demo/again"],
  );
  assert.deepEqual([suppressed.code, suppressed.lines.length], [79, 1]);
  const asIstioctl = [
    "-S",
    "IST0106",
    "-S",
    "IST0101=VirtualService again.*",
    "-A",
    "--use-kube=false",
    "-o",
    "log",
  ];
  assert.deepEqual(await runCtl("analyze", folder.path, ...asIstioctl), suppressed);
  // The clusters of whoever runs this are none of this test's.
  const nowhere = await runCtl("analyze", folder.path, "--use-kube", "--kubeconfig", "/nowhere");
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.errors.join("\n"), /--kubeconfig \/nowhere cannot be used/);
  assert.deepEqual((await runCtl("analyze", good, "--kubeconfig", "/nowhere")).errors, [
    "--kubeconfig: no cluster is looked at without --use-kube",
  ]);
});

test("as JSON and as SARIF each message has its code and its line", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "api.yaml");
  writeFileSync(path, documents(route("api", "api", { host: "cart" })));
  const [json, sarif] = await Promise.all(
    ["json", "sarif"].map(
      async (form) => JSON.parse((await runCtl("analyze", path, "-o", form)).lines.join("\n")) as unknown,
    ),
  );
  const message = "cart.demo.svc.cluster.local is no service: what is sent there fails (503)";
  const field = "spec.http[0].route[0].destination.host";
  assert.deepEqual(json, [
    {
      ...{ code: "IST0101", level: "Error", origin: "VirtualService demo/api" },
      ...{ reference: `${path}:1`, path: field, message },
    },
  ]);
  const { runs } = sarif as { readonly runs: readonly { readonly results: readonly object[] }[] };
  assert.deepEqual(runs[0]?.results, [
    {
      ruleId: "IST0101",
      level: "error",
      message: { text: `${field}: ${message}` },
      locations: [{ physicalLocation: { artifactLocation: { uri: path }, region: { startLine: 1 } } }],
    },
  ]);
});

test("an input that cannot be read is named, and the others are analyzed", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "mesh"));
  writeFileSync(join(folder.path, "mesh/broken.yaml"), "spec: [\n");
  const { code, lines, errors } = await runCtl(
    "analyze",
    join(folder.path, "no.yaml"),
    join(folder.path, "mesh"),
  );
  assert.equal(code, 1);
  assert.match(errors.join("\n"), /no\.yaml cannot be read/);
  assert.match(lines.join("\n"), /^Error \[IST0106\] \(.*broken\.yaml:\d+\)/);
});

test("validate says of each file whether it is valid, and what to mend", async () => {
  using folder = temporaryFolder();
  const [good, bad] = ["good.yaml", "bad.yaml"].map((name) => join(folder.path, name));
  assert.ok(good !== undefined && bad !== undefined);
  writeFileSync(good, documents(route("api", "api", { host: "cart" })));
  writeFileSync(bad, documents(route("api", "api", { host: api }, "soon")));
  assert.deepEqual(await runCtl("validate", "-f", good), {
    code: 0,
    lines: [`"${good}" is valid`],
    errors: [],
  });
  const { code, errors } = await runCtl("validate", "-f", good, "-f", bad);
  assert.equal(code, 1);
  assert.equal(errors[0], `"${bad}" is not valid:`);
  assert.match(
    errors[1] ?? "",
    /^ {2}\* VirtualService demo\/api: spec\.http\[0\]\.timeout: .* \(line \d+\)$/,
  );
});

test("a folder that holds nothing is told, and is nothing valid", async () => {
  using folder = temporaryFolder();
  const told = [`${folder.path} holds no file to read: name one that ends in .yaml, .yml or .json`];
  assert.deepEqual(await runCtl("validate", folder.path), { code: 1, lines: [], errors: told });
  const analyzed = await runCtl("analyze", folder.path);
  assert.deepEqual(analyzed, { code: 0, lines: [], errors: told });
});

test("a file without an object is not said to be in order", async () => {
  using folder = temporaryFolder();
  const [comment, role] = ["comment.yaml", "role.yaml"].map((name) => join(folder.path, name));
  assert.ok(comment !== undefined && role !== undefined);
  writeFileSync(comment, "# to come\n");
  assert.deepEqual(await runCtl("analyze", folder.path), {
    code: 0,
    lines: [],
    errors: [`${comment} holds no object, and nothing of it was analyzed`],
  });
  assert.deepEqual((await runCtl("analyze", comment, "-o", "json")).lines, ["[]"]);
  assert.deepEqual(await runCtl("validate", comment), {
    code: 0,
    lines: [`"${comment}" holds no object`],
    errors: [],
  });
  // Beside one it is nothing to speak of, whatever kind that has.
  writeFileSync(role, stringify({ apiVersion: "v1", kind: "Role", metadata: { name: "reader" } }));
  assert.deepEqual(await runCtl("analyze", folder.path), {
    code: 0,
    lines: [`✔ No validation issues found when analyzing ${folder.path}.`],
    errors: [],
  });
});

test("flags of which one would be passed over are refused", async () => {
  const rows: readonly (readonly [words: readonly string[], flag: string])[] = [
    [["explain", "web.demo", "api.demo:80", "--offline", "--config", "mesh", "--file", "web.json"], "--file"],
    [
      ["explain", "web.demo", "api.demo:80", "--offline", "--config", "mesh", "--server-file", "a.json"],
      "--server-file",
    ],
    [["ps", "--xds-address", "127.0.0.1:1", "--http-address", "127.0.0.1:2"], "--http-address"],
    [["version", "--xds-address", "127.0.0.1:1", "--http-address", "127.0.0.1:2"], "--http-address"],
  ];
  for (const [words, flag] of rows) {
    const { code, errors } = await runCtl(...words);
    assert.equal(code, 64, words.join(" "));
    assert.equal(errors[0]?.split(":")[0], flag);
  }
});
