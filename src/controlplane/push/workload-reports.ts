/**
 * What a proxy reports of its workload's health, and to whom it goes: of a registered machine to what stands for it, of any
 * other to the endpoints that are its own.
 */
import type { Logger } from "../../telemetry/log.ts";
import type { BoundProxy } from "../model/bind-proxy.ts";
import type { RegisteredMachine } from "../model/machine-of.ts";
import type { ServedModels } from "./served-models.ts";

/** Of one connection. */
export class WorkloadReports {
  readonly #proxyId: string;
  readonly #machine: RegisteredMachine | undefined;
  readonly #served: Pick<ServedModels, "reportHealth" | "unhealthy">;
  readonly #log: Logger;
  #isRefused = false;

  constructor(
    proxyId: string,
    machine: RegisteredMachine | undefined,
    { served, log }: { readonly served: ServedModels; readonly log: Logger },
  ) {
    this.#proxyId = proxyId;
    this.#machine = machine;
    this.#served = served;
    this.#log = log;
  }

  /** Why the workload takes no traffic; undefined when it does. */
  get unhealthy(): string | undefined {
    return this.#machine === undefined ? this.#served.unhealthy(this.#proxyId) : this.#machine.unhealthy;
  }

  /** @param health for whose addresses the proxy may speak, or why for none */
  take(health: Extract<BoundProxy, { readonly kind: "bound" }>["health"], reason: string | undefined): void {
    if (this.#machine !== undefined) this.#machine.reportHealth(reason);
    else if (typeof health !== "string") this.#served.reportHealth(health, reason);
    else if (!this.#isRefused) {
      this.#isRefused = true;
      this.#log.warn("health of a workload is not taken from this proxy", {
        proxy: this.#proxyId,
        reason: health,
      });
    }
  }
}
