/** A folder of configuration, the file source that follows it, and the models that come of it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfiguredModels } from "../../src/controlplane/model/configured-models.ts";
import { FileSource } from "../../src/controlplane/registry/file/file-source.ts";
import { Registry } from "../../src/controlplane/registry/registry.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { eventually } from "./eventually.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Longest wait for a change to be seen, in milliseconds. */
export const withinMs = 20_000;

/** A service of one endpoint, as YAML. */
export function serviceEntry(name: string): string {
  return [
    "apiVersion: networking.istio.io/v1",
    "kind: ServiceEntry",
    `metadata: { name: ${name}, namespace: demo }`,
    "spec:",
    `  hosts: [${name}.demo.svc.cluster.local]`,
    "  resolution: STATIC",
    "  ports: [{ number: 80, name: http, protocol: HTTP }]",
    "  endpoints: [{ address: 10.0.0.1 }]",
    "",
  ].join("\n");
}

export class ConfigurationFolder implements AsyncDisposable {
  readonly folder: string;
  readonly errors: string[] = [];
  readonly #registry: Registry;
  readonly #configured: ConfiguredModels;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    folder: string,
    parts: { readonly registry: Registry; readonly configured: ConfiguredModels },
    errors: string[],
    stack: AsyncDisposableStack,
  ) {
    this.folder = folder;
    this.errors = errors;
    this.#registry = parts.registry;
    this.#configured = parts.configured;
    this.#stack = stack;
  }

  static async start(prepare?: (folder: string) => void): Promise<ConfigurationFolder> {
    await using stack = new AsyncDisposableStack();
    const folder = join(stack.use(temporaryFolder()).path, "mesh");
    mkdirSync(folder);
    writeFileSync(join(folder, "api.yaml"), serviceEntry("api"));
    prepare?.(folder);
    const errors: string[] = [];
    const log = createLogger({
      json: true,
      levels: { default: "error" },
      write: (line) => errors.push(line),
      now: () => new Date(),
    });
    const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
    const source = stack.use(await FileSource.open({ folder, debounceMs: 20 }));
    const registry = stack.use(new Registry([source], log));
    const configured = stack.use(new ConfiguredModels(registry.configuration, settings, log));
    return new ConfigurationFolder(folder, { registry, configured }, errors, stack.move());
  }

  get services(): readonly string[] {
    return this.#configured.models.current.model.services.map(({ host }) => host.split(".")[0] ?? "");
  }

  get problems(): readonly string[] {
    return this.#registry.status.problems.map(({ source, message }) => `${source}: ${message}`);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async serves(...names: readonly string[]): Promise<void> {
    await eventually(
      `${names.join()} served`,
      () => {
        assert.deepEqual(this.services.toSorted(), names.toSorted());
      },
      { withinMs },
    );
  }

  async refuses(pattern: RegExp): Promise<void> {
    await eventually(
      "the problem",
      () => {
        assert.match(this.problems.join("\n"), pattern);
      },
      { withinMs },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
