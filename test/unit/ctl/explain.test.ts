/** Where traffic is captured: by the translation alone, client and server by their addresses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { explain } from "../../../src/ctl/explain/explain.ts";
import { meshFromObjects } from "../../../src/ctl/explain/from-objects.ts";
import { explanationLines } from "../../../src/ctl/explain/lines.ts";
import type { Explanation, Request } from "../../../src/ctl/explain/request.ts";
import { goldenFolder, goldenText } from "../../support/golden.ts";

function objectsOf(scene: string): readonly ConfigObject[] {
  const text = readFileSync(join(goldenFolder, `translate/${scene}.yaml`), "utf8");
  return parseDocuments("shop.yaml", text.slice(text.indexOf("\n---\n") + 1)).objects;
}

const objects = objectsOf("bookshop-front");

function from(
  workload: string,
  host: string,
  more: Partial<Request> = {},
  { port, mesh }: { readonly port: number; readonly mesh: readonly ConfigObject[] } = {
    port: 9080,
    mesh: objects,
  },
): Explanation {
  const request: Request = {
    ...{ method: "GET", path: "/", headers: {}, authority: `${host}:${port}`, scheme: "http" },
    ...more,
  };
  return explain(meshFromObjects(mesh, workload, "cluster.local"), { host, port }, request);
}

const answers = ({ outcomes }: Explanation): readonly (readonly [unknown, string | undefined, number])[] =>
  outcomes.map(({ status, endpoint, share }) => [status, endpoint, Number(share.toFixed(2))]);

describe("a captured call", () => {
  test("goes to the subset of its header, and by weight without one", () => {
    const jason = { headers: { "end-user": "jason" } };
    assert.deepEqual(answers(from("front.shop", "reviews", jason)), [[undefined, "10.1.174.2:9080", 1]]);
    assert.deepEqual(answers(from("front.shop", "reviews.shop.svc.cluster.local")), [
      [undefined, "10.1.173.1:9080", 0.8],
      [undefined, "10.1.175.3:9080", 0.2],
    ]);
  });

  test("is refused to whom no policy lets in, and aborted where a fault says so", () => {
    assert.deepEqual(
      answers(from("cart.shop", "reviews")).map(([status]) => status),
      [403, 403],
    );
    const dora = { headers: { "end-user": "dora" } };
    assert.deepEqual(answers(from("reviews.shop", "ratings", dora)), [[500, undefined, 1]]);
  });

  test("of a name that the mesh does not know passes it by", () => {
    const { outcomes } = from("front.shop", "elsewhere.example");
    assert.deepEqual(
      outcomes.map(({ cluster, answeredBy }) => [cluster, answeredBy]),
      [["PassthroughCluster", "a host outside the mesh"]],
    );
  });

  test("names the HTTPRoute that decides it, and fails as the Gateway API wants it to", () => {
    const scene = { port: 80, mesh: objectsOf("gateway-api-mesh") };
    const jo = { path: "/v2/a", headers: { "x-user": "jo" } };
    const { steps, outcomes } = from("web.demo", "api.demo", jo, scene);
    assert.deepEqual(
      steps.map(({ rule }) => rule),
      [undefined, undefined, "HTTPRoute demo/shop"],
    );
    assert.deepEqual(
      outcomes.map(({ endpoint, share }) => [endpoint, Number(share.toFixed(2))]),
      [
        ["10.0.0.3:80", 0.1],
        ["10.0.0.2:80", 0.9],
      ],
    );
    const withoutBackend = scene.mesh.filter(({ name }) => name !== "web");
    const { outcomes: failing } = from("web.demo", "api.demo", jo, { ...scene, mesh: withoutBackend });
    assert.deepEqual(
      failing.map(({ status }) => status),
      [500, undefined],
    );
  });

  test("is told as text, with the place of each rule", (t) => {
    const lines = [
      ...explanationLines(from("front.shop", "reviews"), (rule) =>
        rule === "VirtualService shop/reviews" ? "shop.yaml:107" : undefined,
      ),
      "",
      ...explanationLines(from("cart.shop", "details"), () => undefined),
    ];
    goldenText(t, "ctl/explain.txt", `${lines.join("\n")}\n`);
  });
});
