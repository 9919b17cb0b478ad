import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hangingPods, unreadyReason } from "../../../../src/ctl/install/cluster/readiness.ts";

const deployment = (status: object, spec: object = { replicas: 2 }) => ({
  kind: "Deployment",
  metadata: { name: "a", generation: 2 },
  spec,
  status: { observedGeneration: 2, ...status },
});
const counts = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

const deployments = [
  ["all are available", deployment(counts), undefined],
  [
    "one is wanted where it is not said",
    deployment({ ...counts, replicas: 1, updatedReplicas: 1 }, {}),
    undefined,
  ],
  [
    "nobody has looked",
    deployment({ ...counts, observedGeneration: 1 }),
    "Kubernetes has not looked at it yet",
  ],
  [
    "nothing has happened",
    { kind: "Deployment", metadata: { generation: 1 } },
    "Kubernetes has not looked at it yet",
  ],
  ["one is made", deployment({ ...counts, updatedReplicas: 1 }), "1 of 2 pods are made"],
  ["one is available", deployment({ ...counts, availableReplicas: 1 }), "1 of 2 pods are available"],
  ["an old one is there", deployment({ ...counts, replicas: 3 }), "1 of the former pods are there still"],
  [
    "pods are refused",
    deployment({ conditions: [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }] }),
    "its pods cannot be made: exceeded quota",
  ],
  ["another kind", { kind: "Service" }, undefined],
  [
    "a definition",
    { kind: "CustomResourceDefinition", status: { conditions: [{ type: "Established", status: "True" }] } },
    undefined,
  ],
  ["a definition that is new", { kind: "CustomResourceDefinition" }, "it is not established yet"],
  [
    "a definition whose name is taken",
    {
      kind: "CustomResourceDefinition",
      status: { conditions: [{ type: "NamesAccepted", status: "False", message: "in use" }] },
    },
    "its names are not accepted: in use",
  ],
] as const;

describe("unreadyReason()", () => {
  for (const [name, object, expected] of deployments)
    test(name, () => {
      assert.equal(unreadyReason(object), expected);
    });
});

const container = (fields: object) => ({
  metadata: { name: "a-1", namespace: "mesh" },
  status: { phase: "Running", containerStatuses: [{ name: "discovery", ready: false, ...fields }] },
});

const pods = [
  [
    "is not scheduled",
    {
      status: { conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }] },
    },
    "no node takes it: 0/3 nodes are available",
  ],
  ["was not started", { status: { phase: "Pending" } }, "its node has not started it"],
  [
    "has no image",
    container({ state: { waiting: { reason: "ErrImagePull", message: "not found\nat all" } } }),
    "container discovery: ErrImagePull: not found",
  ],
  [
    "ends again and again",
    container({
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 64, message: "--revison is unknown\n" } },
    }),
    "container discovery: CrashLoopBackOff, and ended with 64 (--revison is unknown)",
  ],
  [
    "is being made",
    container({ state: { waiting: { reason: "ContainerCreating" } } }),
    "container discovery is being made",
  ],
  [
    "runs, and is not ready",
    container({ state: { running: {} }, restartCount: 2 }),
    "container discovery runs, and is not ready, after 2 restarts",
  ],
  [
    "is not ready for another reason",
    {
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "False", message: "a gate is shut" }],
        containerStatuses: [{ name: "discovery", ready: true }],
      },
    },
    "it is Running, and not ready: a gate is shut",
  ],
] as const;

describe("hangingPods()", () => {
  for (const [name, pod, expected] of pods)
    test(`a pod that ${name}`, () => {
      const named = { metadata: { name: "a-1", namespace: "mesh" }, ...pod };
      assert.deepEqual(hangingPods([named]), [`Pod mesh/a-1: ${expected}`]);
    });

  test("says nothing of one that is ready", () => {
    assert.deepEqual(hangingPods([{ status: { conditions: [{ type: "Ready", status: "True" }] } }]), []);
  });
});
