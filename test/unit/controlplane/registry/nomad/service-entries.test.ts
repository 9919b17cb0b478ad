import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  readChange,
  readRegistrations,
  readServiceNames,
  type Registration,
} from "../../../../../src/controlplane/registry/nomad/registrations.ts";
import { serviceEntries } from "../../../../../src/controlplane/registry/nomad/service-entries.ts";

function instance(changes: Partial<Registration> = {}): Registration {
  return {
    ...{ id: "1", service: "web", namespace: "default", datacenter: "dc1", allocation: "a1" },
    ...{ address: "10.0.0.1", port: 20_001, tags: [] },
    ...changes,
  };
}

const entriesOf = (
  registrations: readonly Registration[],
  isWell: (registration: Registration) => boolean = () => true,
): ReturnType<typeof serviceEntries> => serviceEntries(registrations, isWell);

describe("services of Nomad in the mesh", () => {
  test("are called at one port by the tag, at each instance's own", () => {
    const tags = ["port=80", "protocol=http", "serviceAccount=web", "version=v1", "env|prod", "plain"];
    const { objects, problems } = entriesOf([
      instance({ tags }),
      instance({ id: "2", allocation: "a2", address: "10.0.0.2", port: 20_002, tags }),
    ]);
    assert.deepEqual(problems, []);
    const of = { labels: { version: "v1", env: "prod" }, locality: "dc1", serviceAccount: "web" };
    assert.deepEqual(objects, [
      {
        kind: "ServiceEntry",
        name: "nomad.web.80",
        namespace: "default",
        source: "nomad default/web",
        line: 0,
        spec: {
          hosts: ["web.service.nomad"],
          ports: [{ number: 80, name: "http-80", protocol: "HTTP" }],
          location: "MESH_INTERNAL",
          resolution: "STATIC",
          endpoints: [
            { name: "a1", address: "10.0.0.1", ports: { "http-80": 20_001 }, ...of },
            { name: "a2", address: "10.0.0.2", ports: { "http-80": 20_002 }, ...of },
          ],
        },
      },
    ]);
  });

  test("are called at each port that instances have, without the tag", () => {
    const { objects } = entriesOf([instance(), instance({ id: "2", address: "10.0.0.2", port: 20_002 })]);
    assert.deepEqual(
      objects.map(({ name }) => name),
      ["nomad.web.20001", "nomad.web.20002"],
    );
  });

  test("of another namespace have its name in their host, and are of it", () => {
    const { objects } = entriesOf([instance({ namespace: "prod" })]);
    const [entry] = objects;
    assert.ok(entry?.kind === "ServiceEntry");
    assert.deepEqual([entry.namespace, entry.spec.hosts], ["prod", ["web.prod.service.nomad"]]);
  });

  test("have the instances that are well, and stay without any", () => {
    const { objects } = entriesOf([instance()], () => false);
    const [entry] = objects;
    assert.ok(entry?.kind === "ServiceEntry");
    assert.deepEqual(entry.spec.endpoints, []);
  });

  const warnings: readonly [
    what: string,
    changes: Partial<Registration>,
    warning: RegExp,
    objects: number,
  ][] = [
    ["a name that is none of DNS", { service: "a b" }, /ServiceName is no DNS name/, 0],
    [
      "a namespace that is none of the mesh",
      { namespace: "My_Team" },
      /Namespace is no name of a namespace/,
      0,
    ],
    ["no port", { port: 0 }, /Port is missing/, 0],
    ["a tag that is no port", { tags: ["port=http"] }, /Tags port=http is no port/, 1],
    ["a protocol that is none", { tags: ["protocol=gopher"] }, /Tags protocol is not one of HTTP/, 1],
    ["an address that is none", { address: "a b" }, /Address "a b" of an instance is no address/, 1],
    [
      "a service account that is none",
      { tags: ["serviceAccount=A B"] },
      /Tags serviceAccount is not the name/,
      1,
    ],
  ];
  for (const [what, changes, warning, count] of warnings)
    test(`with ${what} are told of`, () => {
      const { objects, problems } = entriesOf([instance(changes)]);
      assert.equal(objects.length, count);
      assert.deepEqual(
        problems.map(({ severity }) => severity),
        ["warning"],
      );
      assert.match(`${problems[0]?.path} ${problems[0]?.message}`, warning);
    });
});

describe("an answer that is none", () => {
  test("is no empty catalog", () => {
    for (const answer of [undefined, {}, "services", 1]) {
      assert.equal(readServiceNames(answer), undefined);
      assert.equal(readRegistrations(answer), undefined);
    }
    assert.deepEqual(readServiceNames([{ Namespace: "a", Services: [{ ServiceName: 1 }, {}] }, 3]), []);
    assert.deepEqual(readRegistrations([{ ID: "1" }, null]), []);
  });

  test("changes nothing", () => {
    for (const [topic, payload] of [
      ["Service", {}],
      ["Service", { Service: { ID: "1" } }],
      ["Allocation", { Allocation: {} }],
      ["Job", { Job: { ID: "web" } }],
    ] as const)
      assert.equal(readChange({ topic, type: "ServiceRegistration", payload }), undefined);
  });
});
