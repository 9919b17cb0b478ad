/** `outriderctl inject` on files. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const pod = `apiVersion: v1
kind: Pod
metadata: { name: web-1 }
spec: { containers: [{ name: web, image: web }] }
`;

describe("outriderctl inject", () => {
  test("joins files, takes settings of files and ConfigMaps, and writes to a file", async () => {
    using folder = temporaryFolder();
    const at = (name: string, text: string): string => {
      const path = join(folder.path, name);
      writeFileSync(path, text);
      return path;
    };
    const values = at("values.json", '{"global": {"hub": "registry.example", "tag": "7"}}');
    const mesh = at(
      "mesh.yaml",
      'kind: ConfigMap\ndata:\n  mesh: |\n    defaultConfig: { proxyMetadata: { GREETING: "hello" } }\n',
    );
    const words = ["--valuesFile", values, "--meshConfigFile", mesh, "--revision", "canary"];
    const files = ["-f", at("a.yaml", pod), "-f", at("b.yaml", pod.replaceAll("web", "api"))];
    const { code, lines, errors } = await runCtl(
      "kube-inject",
      ...files,
      ...words,
      "--kubernetes-version",
      "v1.33.1",
    );
    assert.deepEqual([code, errors], [0, []]);
    const text = lines.join("\n");
    assert.equal(text.match(/^---$/gm)?.length, 1);
    for (const part of [
      "image: registry.example/outrider:7",
      "istiod-canary.istio-system.svc:15012",
      "name: GREETING",
    ])
      assert.ok(text.includes(part), part);
    assert.match(text, /restartPolicy: Always/);

    const output = join(folder.path, "out.yaml");
    assert.equal((await runCtl("inject", ...files, ...words, "-o", output)).code, 0);
    assert.match(readFileSync(output, "utf8"), /name: istio-proxy/);
  });

  test("prints nothing where something is wrong, and tells all of it", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "pod.yaml");
    writeFileSync(
      file,
      pod.replace("name: web-1", 'name: web-1, annotations: { sidecar.istio.io/interceptionMode: "X" }'),
    );
    const values = join(folder.path, "values.yaml");
    writeFileSync(values, "global: { proxy: { statusPort: many } }");
    const missing = join(folder.path, "missing.yaml");
    const { code, lines, errors } = await runCtl("inject", file, missing, "--valuesFile", values);
    assert.deepEqual([code, lines], [1, []]);
    assert.equal(errors.length, 3, errors.join("\n"));
    assert.match(errors.join("\n"), /values\.yaml: global\.proxy\.statusPort: "many" is not a whole number/);
    assert.match(
      errors.join("\n"),
      /pod\.yaml: Pod default\/web-1: metadata\.annotations\.sidecar\.istio\.io\/interceptionMode/,
    );
    assert.match(errors.join("\n"), /missing\.yaml cannot be read/);
    assert.equal((await runCtl("inject")).code, 64);
    assert.equal((await runCtl("inject", file, "--kubernetes-version", "new")).code, 64);
  });
});
