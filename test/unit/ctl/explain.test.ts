/** Where traffic is captured: by the translation alone, client and server by their addresses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { explain } from "../../../src/ctl/explain/explain.ts";
import { meshFromObjects } from "../../../src/ctl/explain/from-objects.ts";
import { explanationLines } from "../../../src/ctl/explain/lines.ts";
import type { Explanation, Request } from "../../../src/ctl/explain/request.ts";
import { goldenFolder, goldenText } from "../../support/golden.ts";

const text = readFileSync(join(goldenFolder, "translate/bookshop-front.yaml"), "utf8");
const { objects } = parseDocuments("shop.yaml", text.slice(text.indexOf("\n---\n") + 1));

function from(workload: string, host: string, more: Partial<Request> = {}): Explanation {
  const mesh = meshFromObjects(objects, workload, "cluster.local");
  const request: Request = {
    ...{ method: "GET", path: "/", headers: {}, authority: `${host}:9080`, scheme: "http" },
    ...more,
  };
  return explain(mesh, { host, port: 9080 }, request);
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
