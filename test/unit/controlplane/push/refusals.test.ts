/** A resource that a proxy refuses costs itself only, in both variants of the protocol, however the proxy words it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blamedNames, mentions } from "../../../../src/controlplane/push/blamed-names.ts";
import { LastGoodResources } from "../../../../src/controlplane/push/last-good.ts";
import { Layer, ResourceSet } from "../../../../src/controlplane/push/layer.ts";
import { deltaProtocol, sotwProtocol } from "../../../../src/controlplane/push/protocol.ts";
import { Refusals } from "../../../../src/controlplane/push/refusals.ts";
import type { Held } from "../../../../src/controlplane/push/held-resources.ts";
import { typeUrl, wildcardTypes } from "../../../../src/xds/type-urls.ts";
import { delta, sotw, valueOf } from "../../../support/xds-messages.ts";

type Texts = Readonly<Record<string, string>>;

const setOf = (texts: Texts): ResourceSet =>
  new ResourceSet([
    new Layer(
      new Map(
        Object.entries(texts).map(([name, text]) => [
          name,
          { name, version: text, bytes: valueOf({ name, bytes: Buffer.from(text) }) },
        ]),
      ),
    ),
  ]);

/** How a proxy refuses: with the names and the rest taken, as Envoy does clusters; or all, and says nothing of whom. */
type Manner = "named" | "silent";

/** A control plane's side of one stream, and a proxy that refuses texts that begin with `bad`. */
class Scene {
  readonly has = new Map<string, string>();
  readonly told: Held[] = [];
  responses = 0;
  readonly #protocol: typeof deltaProtocol;
  readonly #type: string;
  readonly #manner: Manner;
  readonly #refusals: Refusals;
  readonly #subscription;
  #snapshot: ResourceSet = setOf({});

  constructor(
    protocol: typeof deltaProtocol,
    type: string,
    manner: Manner,
    {
      lastGood = new LastGoodResources(),
      known = {},
    }: { readonly lastGood?: LastGoodResources; readonly known?: Texts } = {},
  ) {
    this.#protocol = protocol;
    this.#type = type;
    this.#manner = manner;
    for (const [name, text] of Object.entries(known)) this.has.set(name, text);
    this.#refusals = new Refusals(
      "web",
      { refusals: { tell: (_proxy, _type, held) => this.told.push(held) }, lastGood },
      () => ({
        number: 1,
        resources: new Map([[type, this.#snapshot]]),
        scopeOf: () => "all",
      }),
    );
    this.#subscription = protocol.subscribe(type);
    const messages = protocol === deltaProtocol ? delta : sotw;
    const names = wildcardTypes.has(type) ? [] : ["a", "b", "c", "d", "e"];
    protocol.decode(messages.request({ typeUrl: type, names, known })).apply(this.#subscription);
    this.#refusals.subscribed(type, this.#subscription);
  }

  get refused(): Texts {
    const sync = { sentNonce: "", ackedNonce: "", since: "" };
    const told = this.#refusals.toldWith({ [this.#type]: sync })[this.#type]?.refused ?? [];
    return Object.fromEntries(told.map(({ name, serves }) => [name, serves]));
  }

  /** Until there is nothing more to say. */
  push(texts: Texts): void {
    this.#snapshot = setOf(texts);
    for (let round = 0; round < 200; round += 1) {
      const response = this.#subscription.respond(this.#refusals.over(this.#type, this.#snapshot), {
        force: false,
        keepsGone: false,
      });
      if (response !== undefined) {
        this.responses += 1;
        const nonce = `n${this.responses}`;
        response.sent(nonce);
        this.#refusals.sent(this.#type, nonce, response);
        this.#refusals.answered(this.#type, nonce, this.#answer(response.encode(this.#type, "v", nonce, "")));
      }
      if (!this.#refusals.release(this.#type) && response === undefined) return;
    }
    assert.fail("it never ends");
  }

  #answer(bytes: Uint8Array): string | undefined {
    const isDelta = this.#protocol === deltaProtocol;
    const { resources, removed } = (isDelta ? delta : sotw).read(Buffer.from(bytes));
    const texts = Object.entries(resources);
    const bad = texts.filter(([, text]) => text.includes("bad"));
    if (bad.length > 0 && this.#manner === "silent") return "something is wrong";
    const good = texts.filter(([, text]) => !text.includes("bad"));
    if (!isDelta && wildcardTypes.has(this.#type))
      for (const name of this.has.keys()) if (!texts.some(([one]) => one === name)) this.has.delete(name);
    for (const name of removed) this.has.delete(name);
    for (const [name, text] of good) this.has.set(name, text);
    if (bad.length === 0) return undefined;
    return `Error adding/updating cluster(s) ${bad.map(([name]) => `${name}: ${name} is bad`).join(", ")}`;
  }
}

/** What the proxy has, by name, in the form in which texts were given. */
const has = (scene: Scene): Texts =>
  Object.fromEntries([...scene.has].toSorted(([a], [b]) => (a < b ? -1 : 1)));

for (const protocol of [deltaProtocol, sotwProtocol])
  for (const type of [typeUrl.cluster, typeUrl.route])
    for (const manner of ["named", "silent"] as const) {
      const what = `${protocol.name}, ${type.replace(/.*\./, "")}, ${manner}`;
      const first = { a: "1", b: "1", c: "1", d: "1" };

      describe(`a refusal (${what})`, () => {
        test("costs the refused ones only, which stay as they were, and is over when they change", () => {
          const scene = new Scene(protocol, type, manner);
          scene.push(first);
          scene.push({ a: "2", b: "bad", c: "2", d: "bad", e: "1" });
          assert.deepEqual(has(scene), { a: "2", b: "1", c: "2", d: "1", e: "1" });
          assert.deepEqual(scene.refused, { b: "last good", d: "last good" });
          assert.deepEqual(scene.told.map(({ resource }) => resource.name).toSorted(), ["b", "d"]);
          const { responses } = scene;
          scene.push({ a: "2", b: "bad", c: "3", d: "bad", e: "1" });
          assert.equal(scene.responses, responses + 1);
          assert.deepEqual(has(scene), { a: "2", b: "1", c: "3", d: "1", e: "1" });
          scene.push({ a: "2", b: "3", c: "3", d: "1", e: "1" });
          assert.deepEqual(has(scene), { a: "2", b: "3", c: "3", d: "1", e: "1" });
          assert.deepEqual(scene.refused, {});
        });

        test("of something new leaves it out", () => {
          const scene = new Scene(protocol, type, manner);
          scene.push({ a: "1", b: "bad", c: "1" });
          assert.deepEqual(has(scene), { a: "1", c: "1" });
          assert.deepEqual(scene.refused, { b: "nothing" });
          scene.push({ a: "1", b: "1", c: "1" });
          assert.deepEqual(has(scene), { a: "1", b: "1", c: "1" });
        });

        test("gives a later proxy what was good for an earlier one", () => {
          const lastGood = new LastGoodResources();
          const earlier = new Scene(protocol, type, manner, { lastGood });
          earlier.push(first);
          earlier.push({ ...first, b: "bad" });
          const later = new Scene(protocol, type, manner, { lastGood });
          later.push({ ...first, b: "bad" });
          assert.deepEqual(has(later), first);
          assert.deepEqual(later.refused, { b: "last good" });
        });

        test("of a version that is refused again keeps the one that was good", () => {
          const scene = new Scene(protocol, type, manner);
          scene.push(first);
          scene.push({ ...first, b: "bad 1" });
          scene.push({ ...first, b: "bad 2", a: "2" });
          assert.deepEqual(has(scene), { ...first, a: "2" });
          assert.deepEqual(scene.refused, { b: "last good" });
        });
      });
    }

test("what a proxy brought along and goes on having is not taken from it", () => {
  for (const manner of ["named", "silent"] as const) {
    const known = { a: "1", b: "1" };
    const scene = new Scene(deltaProtocol, typeUrl.cluster, manner, { known });
    scene.push({ a: "2", b: "bad" });
    assert.deepEqual(has(scene), { a: "2", b: "1" });
    assert.deepEqual(scene.refused, { b: "last good" });
    scene.push({ a: "2", b: "3" });
    assert.deepEqual(has(scene), { a: "2", b: "3" });
  }
});

test("a removal in a response that is refused as a whole is said again", () => {
  const scene = new Scene(deltaProtocol, typeUrl.cluster, "silent");
  scene.push({ a: "1", b: "1", c: "1" });
  scene.push({ a: "bad", b: "2" });
  assert.deepEqual(has(scene), { a: "1", b: "2" });
});

test("a proxy that refuses everything is tried a bounded number of times", () => {
  const texts = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`c${index}`, "bad"]));
  for (const protocol of [deltaProtocol, sotwProtocol]) {
    const scene = new Scene(protocol, typeUrl.cluster, "silent");
    scene.push(texts);
    assert.deepEqual(has(scene), {});
    assert.ok(scene.responses < 100, String(scene.responses));
    assert.equal(Object.keys(scene.refused).length, 1_000);
  }
});

describe("Envoy's words", () => {
  const names = ["outbound|80||api", "outbound|80||api.demo", "other"];
  for (const [error, blamed] of [
    [
      "Error adding/updating cluster(s) outbound|80||api: bad, very: bad, outbound|80||api.demo: worse",
      { "outbound|80||api": "bad, very: bad", "outbound|80||api.demo": "worse" },
    ],
    [
      "Error adding/updating listener(s) other: it leads to outbound|80||api: no\n",
      {
        other: "it leads to outbound|80||api: no",
      },
    ],
    ["Error adding/updating cluster(s) outbound|80||api.demo: worse", { "outbound|80||api.demo": "worse" }],
    ["Only unique names for routes are supported", {}],
    ["other: is not the way they begin", {}],
  ] as const)
    test(`name ${JSON.stringify(Object.keys(blamed))} in ${JSON.stringify(error)}`, () => {
      assert.deepEqual(Object.fromEntries(blamedNames(names, error)), blamed);
    });

  test("mention whole names only", () => {
    assert.equal(mentions("cluster 'outbound|80||api.demo' is bad", "outbound|80||api"), false);
    assert.equal(mentions("cluster 'outbound|80||api' is bad", "outbound|80||api"), true);
    assert.equal(mentions("a outbound|80||api.b, outbound|80||api", "outbound|80||api"), true);
  });
});
