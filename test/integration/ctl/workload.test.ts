/** The command lines of outriderctl workload that come to nothing, and a cluster that is asked. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("outriderctl workload", () => {
  const refused: readonly [words: readonly string[], code: number, ...errors: readonly RegExp[]][] = [
    [["group", "configure"], 64, /^group configure is not one of group create, entry configure$/],
    [
      ["group", "create", "--labels", "a", "--ports", "http=x", "--name", "web"],
      64,
      /^--namespace: is missing$/,
      /^--labels: "a" is not NAME=VALUE$/,
    ],
    [
      ["group", "create", "--name", "web", "--namespace", "demo", "--ports", "http=x"],
      64,
      /^--ports: must be a whole number from 1 to 65535$/,
    ],
    [
      ["entry", "configure", "--ingressIP", "here", "--internalIP", "10.0.0.1", "--externalIP", "10.0.0.2"],
      64,
      /^--file: name a file with the WorkloadGroup, or its --name and --namespace$/,
      /^--output: name a folder for the files$/,
      /^--ingressIP: "here" is no IP address$/,
      /^--externalIP: --internalIP is the machine's address too/,
    ],
  ];
  for (const [words, code, ...errors] of refused)
    test(words.join(" "), async () => {
      const run = await runCtl("workload", ...words);
      assert.equal(run.code, code, run.errors.join("\n"));
      assert.equal(run.errors.length, errors.length, run.errors.join("\n"));
      for (const [index, error] of errors.entries()) assert.match(run.errors[index] ?? "", error);
    });

  test("entry configure says whose state it has no root of", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "web.yaml");
    const { lines } = await runCtl("workload", "group", "create", "--name", "web", "--namespace", "demo");
    writeFileSync(file, lines.join("\n"));
    const output = join(folder.path, "out");
    const run = await runCtl(
      ...[
        "workload",
        "entry",
        "configure",
        "-f",
        file,
        "-o",
        output,
        "--stateDir",
        join(folder.path, "none"),
      ],
    );
    assert.equal(run.code, 1);
    assert.match(run.errors.join("\n"), /^the root cannot be read: .*Name the control plane's --stateDir/);
    assert.ok(!existsSync(output));
  });

  test("entry configure asks the cluster for group, root, token and MeshConfig", async () => {
    using folder = temporaryFolder();
    const asked: string[] = [];
    const answers: Readonly<Record<string, object>> = {
      "GET /apis/networking.istio.io/v1/namespaces/demo/workloadgroups/web": {
        apiVersion: "networking.istio.io/v1",
        kind: "WorkloadGroup",
        metadata: { name: "web", namespace: "demo", uid: "1", resourceVersion: "2" },
        spec: { template: { serviceAccount: "web" } },
      },
      "GET /api/v1/namespaces/istio-system/configmaps/istio": {
        data: { mesh: "trustDomain: example.org\ndefaultConfig: {concurrency: 4}\n" },
      },
      "GET /api/v1/namespaces/demo/configmaps/istio-ca-root-cert": { data: { "root-cert.pem": "root\n" } },
      "POST /api/v1/namespaces/demo/serviceaccounts/web/token": { status: { token: "of-cluster" } },
    };
    const server = createServer((request, response) => {
      const key = `${request.method} ${request.url}`;
      asked.push(key);
      const answer = answers[key];
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { kind: "Status", code: 404 }));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as { port: number };
    try {
      const kubeconfig = join(folder.path, "kubeconfig");
      const cluster = {
        name: "a",
        cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true },
      };
      writeFileSync(
        kubeconfig,
        stringify({
          ...{ apiVersion: "v1", kind: "Config", clusters: [cluster], users: [{ name: "a", user: {} }] },
          contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
          "current-context": "a",
        }),
      );
      const output = join(folder.path, "out");
      const run = await runCtl(
        ...["workload", "entry", "configure", "--name", "web", "--namespace", "demo", "-o", output],
        ...["--kubeconfig", kubeconfig],
      );
      assert.equal(run.code, 0, run.errors.join("\n"));
      assert.deepEqual(asked.toSorted(), Object.keys(answers).toSorted());
      const read = (name: string): string => readFileSync(join(output, name), "utf8");
      assert.equal(read("istio-token"), "of-cluster");
      assert.equal(read("root-cert.pem"), "root\n");
      assert.match(read("mesh.yaml"), /concurrency: 4/);
      assert.match(read("cluster.env"), /^TRUST_DOMAIN=example\.org$/m);
      assert.match(run.errors.join("\n"), /hosts is empty: say by --ingressIP/);

      const other = await runCtl(
        ...["workload", "entry", "configure", "--name", "db", "--namespace", "demo", "-o", output],
        ...["--kubeconfig", kubeconfig],
      );
      assert.equal(other.code, 1);
      assert.match(
        other.errors.join("\n"),
        /has no WorkloadGroup demo\/db: apply it first, or name a file with -f/,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
