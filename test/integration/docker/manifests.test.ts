/** What operators take along is what the platforms understand: each file is shown to a program that knows its schema. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { spdxDocument } from "../../../src/build/release/sbom.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { validate } from "../../support/validators.ts";

const root = join(import.meta.dirname, "../../..");

function files(pattern: string): readonly string[] {
  const found = globSync(pattern, { cwd: root }).map((path) => join(root, path));
  assert.ok(found.length > 0, pattern);
  return found;
}

/** Of Istio's own kinds Kubernetes has no schema. */
const ofIstio = /istio-(?:helm-values|operator)\.yaml$/;

describe("manifests", () => {
  test("for Kubernetes have no field that it does not know", (t) => {
    const manifests = files("docker/kubernetes/*.yaml").filter((path) => !ofIstio.test(path));
    validate(t, "kubernetes-validate", ["--strict", ...manifests]);
  });

  test("of an injected pod, which the tests run, are such as Kubernetes takes", (t) => {
    validate(t, "kubernetes-validate", ["--strict", ...files("test/support/fixtures/pods/*.yaml")]);
  });

  test("with a field that there is not are refused: the check is one", (t) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "wrong.yaml");
    const text = readFileSync(join(root, "docker/kubernetes/sidecar.yaml"), "utf8");
    writeFileSync(path, text.replace("readOnlyRootFilesystem", "readonlyRootFilesystem"));
    let isTaken: string | undefined;
    assert.throws(() => {
      isTaken = validate(t, "kubernetes-validate", ["--strict", path]);
      if (isTaken === undefined) throw new Error("skipped: readonlyRootFilesystem");
    }, /readonlyRootFilesystem/);
  });

  test("for ECS pass the linter of CloudFormation", (t) => {
    validate(t, "cfn-lint", files("docker/ecs/*.yaml"));
  });

  test("for Compose are what its specification says", (t) => {
    validate(t, "check-jsonschema", [
      "--builtin-schema",
      "vendor.compose-spec",
      ...files("docker/compose.yaml"),
    ]);
  });

  test("for Nomad are HCL", (t) => {
    for (const path of files("docker/nomad/*.hcl")) validate(t, "hcl2tojson", [path]);
  });

  test("for releases are workflows that GitHub takes", (t) => {
    validate(t, "check-jsonschema", [
      "--builtin-schema",
      "vendor.github-workflows",
      ...files(".github/workflows/*.yaml"),
    ]);
  });

  test("for systemd leave little open", (t) => {
    if (process.env["CI"] !== "true" && !hasSystemd()) {
      t.skip("needs systemd-analyze");
      return;
    }
    for (const path of files("docker/systemd/*.service"))
      execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=30", path], {
        stdio: "pipe",
      });
  });

  test("of what is in the release are SPDX", (t) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "sbom.spdx.json");
    const subject = {
      name: "outrider",
      version: "1.0.0",
      licence: "Apache-2.0",
      purl: "pkg:npm/outrider@1.0.0",
    };
    const part = { name: "@a/b", version: "1", licence: undefined, purl: "pkg:npm/%40a/b@1" };
    writeFileSync(path, spdxDocument({ subject, components: [part], createdAt: 0 }));
    validate(t, "pyspdxtools", ["-i", path]);
  });
});

function hasSystemd(): boolean {
  try {
    execFileSync("systemd-analyze", ["--version"], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
