/** Which Consul the control plane follows, and what of its flags is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { consulTarget } from "../../../src/cli/registry-options.ts";

type Given = Parameters<typeof consulTarget>[0];

const none: Given = {
  registries: "",
  consulserverURL: undefined,
  consulTokenFile: undefined,
  consulCaFile: undefined,
  consulDatacenter: undefined,
};

function read(given: Partial<Given>): readonly [ReturnType<typeof consulTarget>, readonly string[]] {
  const refused: string[] = [];
  const target = consulTarget({ ...none, ...given }, (flag, message) => refused.push(`${flag} ${message}`));
  return [target, refused];
}

describe("registries", () => {
  test("are none unless they are named, and Consul's agent is this machine's unless it is", () => {
    assert.deepEqual(read({}), [undefined, []]);
    const own = { tokenFile: undefined, caFile: undefined, datacenter: undefined };
    assert.deepEqual(read({ registries: "Consul" }), [{ ...own, url: "http://127.0.0.1:8500" }, []]);
    const given = {
      registries: " Consul,",
      consulserverURL: "https://[::1]:8501/at",
      consulDatacenter: "dc2",
    };
    assert.deepEqual(read(given), [{ ...own, url: "https://[::1]:8501/at", datacenter: "dc2" }, []]);
  });

  test("that cannot be used are refused, all at once, and no password is repeated", () => {
    const [, refused] = read({
      registries: "Consul,Eureka",
      consulserverURL: "http://me:secret@consul:8500",
      consulCaFile: "/nowhere/ca.pem",
      consulDatacenter: "a b",
    });
    assert.deepEqual(
      refused.map((text) => text.split(" ")[0]),
      ["registries", "consulserverURL", "consulCaFile", "consulDatacenter"],
    );
    assert.ok(!refused.join(" ").includes("secret"));
    for (const url of ["consul:8500", "ftp://consul", "http://consul?dc=a", "http://consul#a"])
      assert.equal(read({ registries: "Consul", consulserverURL: url })[1].length, 1, url);
    assert.deepEqual(read({ consulTokenFile: "token" })[1], [
      "consulTokenFile is for Consul: add --registries=Consul, or remove it",
    ]);
  });
});
