/** A control plane, and workloads with nothing wrong, for the commands that look at them. */
import { freePorts } from "./free-ports.ts";
import { TestMesh } from "./mesh.ts";
import { egress, mutualTls } from "./mesh-objects.ts";
import type { Workload } from "./workload.ts";

export class ExaminedMesh implements AsyncDisposable {
  readonly mesh: TestMesh;
  #number = 0;

  private constructor(mesh: TestMesh) {
    this.mesh = mesh;
  }

  static async start(): Promise<ExaminedMesh> {
    const [outbound = 0] = await freePorts(1);
    return new ExaminedMesh(
      await TestMesh.start({ "web.yaml": [egress("web", outbound)], "mtls.yaml": [mutualTls("STRICT")] }),
    );
  }

  /** One with a name, a folder and ports of its own. */
  workload(proxyConfig: Readonly<Record<string, unknown>> = {}): Promise<Workload> {
    this.#number += 1;
    return this.mesh.workload(`web${this.#number}`, { proxyConfig });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mesh[Symbol.asyncDispose]();
  }
}
