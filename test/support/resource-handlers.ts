/** Handlers of resources, as the agent has them and as a test plays them. */
import { extensionHandler } from "../../src/agent/wasm.ts";
import type { WasmExtensions } from "../../src/wasm/wasm-extensions.ts";
import { typeUrl } from "../../src/xds/type-urls.ts";
import type {
  ResourceHandler,
  ResourceHandlers,
  Taken,
} from "../../src/xdsproxy/handlers/resource-handler.ts";

/** Istio's NDS: a type that is an agent's. */
export const nameTableType = typeUrl.nameTable;

/** The row of extension configurations. */
export function extensionHandlers(load: () => Promise<WasmExtensions>): ResourceHandlers {
  return { [typeUrl.extension]: extensionHandler(load) };
}

/** Takes what comes in, as text; undefined for a response without a resource. */
export function recordingHandler(answer: Taken = { kind: "accepted" }): {
  readonly handler: ResourceHandler;
  readonly taken: (string | undefined)[];
} {
  const taken: (string | undefined)[] = [];
  const take = (value: Uint8Array | undefined): Taken => {
    taken.push(value === undefined ? undefined : Buffer.from(value).toString());
    return answer;
  };
  return { handler: { kind: "consume", take }, taken };
}
