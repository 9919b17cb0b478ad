/** Clouds' metadata services, stood in for by a small server. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { readPlatform } from "../../../src/config/cloud/read-platform.ts";

interface Service extends AsyncDisposable {
  readonly address: string;
  readonly asked: readonly string[];
}

/** Answers by path; `undefined` never answers. */
async function service(answers: Readonly<Record<string, string>>, hangs = false): Promise<Service> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(`${request.method} ${path}`);
    if (hangs) return;
    const answer = answers[path];
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

const noFiles = { readFile: () => ({ kind: "missing" }) as const };

describe("a cloud's metadata service", () => {
  test("of Amazon is asked with a token", async () => {
    await using imds = await service({
      "/latest/api/token": "token",
      "/latest/meta-data/placement/region": "eu-west-1",
      "/latest/meta-data/placement/availability-zone": "eu-west-1a",
      "/latest/meta-data/instance-id": "i-1",
    });
    const env = { CLOUD_PLATFORM: "aws", AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${imds.address}/` };
    assert.deepEqual(await readPlatform({ ...noFiles, env }, 5_000), {
      metadata: { aws_region: "eu-west-1", aws_availability_zone: "eu-west-1a", aws_instance_id: "i-1" },
      labels: {},
      locality: { region: "eu-west-1", zone: "eu-west-1a" },
    });
    assert.equal(imds.asked[0], "PUT /latest/api/token");
  });

  test("of Google fills what GCP_METADATA leaves open", async () => {
    await using gce = await service({
      "/computeMetadata/v1/instance/zone": "projects/1/zones/us-central1-a",
    });
    const env = { GCP_METADATA: "proj|12|clu|us-central1", GCE_METADATA_HOST: gce.address };
    const facts = await readPlatform({ ...noFiles, env }, 5_000);
    assert.deepEqual(facts?.locality, { region: "us-central1", zone: "us-central1-a" });
    assert.equal(facts.metadata["gcp_gke_cluster_name"], "clu");
    assert.match(
      facts.metadata["gcp_gke_cluster_url"] ?? "",
      /projects\/proj\/locations\/us-central1\/clusters\/clu$/,
    );
  });

  test("of Azure brings its tags along", async () => {
    await using imds = await service({
      "/metadata/instance/compute?api-version=2021-02-01&format=json": JSON.stringify({
        name: "vm-1",
        location: "westeurope",
        zone: "2",
        vmId: "id",
        tags: "team:blue;url:http://x",
      }),
    });
    const env = { CLOUD_PLATFORM: "azure", AZURE_METADATA_HOST: imds.address };
    const facts = await readPlatform({ ...noFiles, env }, 5_000);
    assert.deepEqual(facts?.metadata, {
      azure_team: "blue",
      azure_url: "http://x",
      azure_name: "vm-1",
      azure_location: "westeurope",
      azure_vmId: "id",
    });
    assert.deepEqual(facts.locality, { region: "westeurope", zone: "2" });
  });

  for (const [what, answers] of [
    [
      "that answers with nonsense",
      { "/metadata/instance/compute?api-version=2021-02-01&format=json": "<html>" },
    ],
    ["that knows nothing", {}],
  ] as const) {
    test(`${what} is none`, async () => {
      await using imds = await service(answers);
      const env = { CLOUD_PLATFORM: "azure", AZURE_METADATA_HOST: imds.address };
      assert.equal(await readPlatform({ ...noFiles, env }, 5_000), undefined);
    });
  }

  test("that hangs is left at the deadline", async () => {
    await using imds = await service({}, true);
    const env = { CLOUD_PLATFORM: "aws", AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${imds.address}` };
    // Without the deadline it would never be answered.
    assert.equal(await readPlatform({ ...noFiles, env }, 100), undefined);
    assert.deepEqual(imds.asked, ["PUT /latest/api/token"]);
  });

  test("is asked by nobody where nothing says that there is one, nor with a deadline of 0", async () => {
    await using imds = await service({});
    const endpoint = { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${imds.address}` };
    assert.equal(await readPlatform({ ...noFiles, env: endpoint }, 5_000), undefined);
    const aws = { CLOUD_PLATFORM: "aws", ...endpoint };
    assert.equal(await readPlatform({ ...noFiles, env: aws }, 0), undefined);
    assert.deepEqual(imds.asked, []);
  });
});
