/**
 * What other control planes are told of this one's objects.
 *
 * What was learned from a control plane is not told on: two that follow each other would keep what nobody has any more.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import { mcpKinds, mcpResourceOf, mcpResourceType, mcpTypesOf } from "./config/mcp-resource.ts";
import { type ConfigObject, objectId } from "./config/objects.ts";
import type { ObjectPages } from "./push/config-stream.ts";
import type { Page } from "./push/protocol.ts";
import { mcpScheme } from "./registry/mcp/mcp-target.ts";

/** The objects of the mesh, each encoded once for all who ask. */
export class McpPages implements ObjectPages {
  readonly changes: ReadonlyWatch<{ readonly objects: readonly ConfigObject[] }>;
  readonly #log: Logger;
  readonly #pages = new WeakMap<ConfigObject, Page | "untold">();

  constructor(configuration: McpPages["changes"], log: Logger) {
    this.changes = configuration;
    this.#log = log;
  }

  of(typeUrl: string): readonly Page[] {
    // In one version of several: whoever asks for all would have each more than once.
    const kind = mcpKinds.find((each) => mcpTypesOf(each)[0] === typeUrl);
    return this.changes.current.objects
      .filter(
        (object) => object.kind === kind && object.pod === undefined && !object.source.startsWith(mcpScheme),
      )
      .flatMap((object) => this.#pageOf(object) ?? []);
  }

  #pageOf(object: ConfigObject): Page | undefined {
    const known = this.#pages.get(object) ?? this.#encoded(object);
    this.#pages.set(object, known);
    return known === "untold" ? undefined : known;
  }

  #encoded(object: ConfigObject): Page | "untold" {
    const { namespace, name, spec, createdAtMs = 0, isDryRun = false } = object;
    const said = JSON.stringify([spec, createdAtMs, isDryRun]);
    const version = createHash("sha256").update(said).digest("hex").slice(0, 16);
    try {
      const bytes = mcpResourceOf(object, version);
      return { name: `${namespace}/${name}`, typeUrl: mcpResourceType, bytes };
    } catch (error) {
      const reason = errorMessage(error);
      this.#log.warn("other control planes are not told of an object", { object: objectId(object), reason });
      return "untold";
    }
  }
}
