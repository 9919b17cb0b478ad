/**
 * What pods are injected with, as it is by now: the mesh's settings, the values of the installation, and what the cluster's nodes know.
 * Settings that cannot be used are told, and those that there were stay.
 */
import { configurationLimits } from "../document/limits.ts";
import { isMapping } from "../document/mapping.ts";
import { readYaml } from "../document/yaml.ts";
import { fileSignature } from "../files/file-signature.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric, Metrics } from "../telemetry/metrics.ts";
import { type InjectionOutcome, type InjectionState, outcomes } from "./admission/injection-review.ts";
import type { ConfigObject } from "./config/objects.ts";
import { hasNativeSidecars } from "./inject/native-sidecars.ts";
import type { Fields } from "./inject/pod.ts";
import type { ProxyConfigRule } from "./inject/proxy-configs.ts";
import { type InjectionSettings, type ReadProxyConfig, readInjectionSettings } from "./inject/settings.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { Reflector } from "./kubernetes/reflector.ts";
import { mappingOf, type Resource, textOf } from "./kubernetes/resource.ts";
import { followFolder } from "./registry/file/follow-folder.ts";

/** How pods are injected. */
export interface InjectionOptions {
  /** File with the values of the installation; undefined for none. */
  readonly valuesFile?: string | undefined;
  /** Tag of the image where the values say none. */
  readonly release: string;
  readonly readProxyConfig: ReadProxyConfig;
}

/** What else decides. */
export interface InjectionMeshOptions {
  readonly revision: string;
  readonly trustDomain: string;
  readonly debounceMs: number;
  readonly debounceMaxMs: number;
}

const nodes: Resource<{ readonly version: string }> = {
  plural: "nodes",
  group: "",
  versions: ["v1"],
  keep: ({ status }) => ({ version: textOf(mappingOf(mappingOf(status)["nodeInfo"])["kubeletVersion"]) }),
};

/** The settings of one control plane. */
export class CurrentInjection {
  readonly #options: InjectionOptions & InjectionMeshOptions;
  readonly #configuration: ReadonlyWatch<{ readonly objects: readonly ConfigObject[] }>;
  readonly #nodes: Reflector<{ readonly version: string }>;
  readonly #log: Logger;
  readonly #reviews: CounterMetric;
  #values: Fields;
  #settings: InjectionSettings;
  #told = "";

  /**
   * Settings of the mesh that agents could not use cost pods that are made, each of which is told, and nothing else.
   *
   * @throws Error with all that is wrong with the values: nobody has been injected with others yet
   */
  constructor(
    options: InjectionOptions & InjectionMeshOptions,
    {
      api,
      configuration,
      metrics,
      log,
    }: {
      readonly api: KubernetesApi;
      readonly metrics: Metrics;
      readonly configuration: ReadonlyWatch<{ readonly objects: readonly ConfigObject[] }>;
      readonly log: Logger;
    },
  ) {
    this.#options = options;
    this.#configuration = configuration;
    this.#log = log;
    this.#reviews = metrics.counter(
      "injections_total",
      "Pods that the API server asked about, by what became of them.",
      ["outcome"],
      outcomes.map((outcome) => ({ outcome })),
    );
    this.#nodes = new Reflector(nodes, api, () => undefined);
    const { values, problems } = this.#read();
    const made = this.#make(values);
    const wrong = [...problems, ...made.problems];
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    for (const reason of made.meshProblems) log.error("no pod is injected until this is right", { reason });
    this.#told = made.meshProblems.join("\n");
    this.#values = values;
    this.#settings = made.settings;
  }

  get state(): InjectionState {
    const versions = [...this.#nodes.values()].map(({ version }) => version);
    // A node that does not know them would start the sidecar as an init container that never ends.
    const areNative = versions.length > 0 && versions.every((version) => hasNativeSidecars(version) === true);
    const count = (outcome: InjectionOutcome): void => {
      this.#reviews.inc({ outcome });
    };
    return { settings: this.#settings, hasNativeSidecars: areNative, count };
  }

  /** Follow all of it, each until `signal` aborts. */
  get followed(): Readonly<Record<string, (signal: AbortSignal) => Promise<void>>> {
    const { valuesFile, debounceMs, debounceMaxMs } = this.#options;
    return {
      "follow-nodes": (signal) => this.#nodes.run(signal),
      "follow-mesh-settings": async (signal) => {
        for await (const _ of this.#configuration.changes(signal)) this.#renew(this.#values, []);
      },
      ...(valuesFile === undefined
        ? {}
        : {
            "follow-injection-values": (signal) =>
              followFolder(
                {
                  path: valuesFile,
                  signature: () => fileSignature(valuesFile),
                  isSettled: () => true,
                  debounceMs,
                  debounceMaxMs,
                },
                () => {
                  const { values, problems } = this.#read();
                  this.#renew(values, problems);
                  return Promise.resolve();
                },
                signal,
              ),
          }),
    };
  }

  #renew(values: Fields, problems: readonly string[]): void {
    const made = this.#make(values);
    const wrong = [...problems, ...made.problems, ...made.meshProblems];
    const told = wrong.join("\n");
    if (wrong.length === 0) {
      this.#values = values;
      this.#settings = made.settings;
    } else if (told !== this.#told)
      for (const reason of wrong)
        this.#log.error("pods are injected by the settings that there were", { reason });
    this.#told = told;
  }

  #make(values: Fields): {
    readonly settings: InjectionSettings;
    readonly problems: readonly string[];
    readonly meshProblems: readonly string[];
  } {
    const { revision, trustDomain, release, readProxyConfig, valuesFile = "values" } = this.#options;
    const { objects } = this.#configuration.current;
    const mesh = objects.find((object) => object.kind === "MeshConfig")?.spec;
    const { settings, problems } = readInjectionSettings({
      values: { ...values, revision: revision === "default" ? "" : revision },
      mesh: {
        defaultConfig: mesh?.defaultConfig?.given ?? {},
        ...(mesh?.enablePrometheusMerge === undefined
          ? {}
          : { enablePrometheusMerge: mesh.enablePrometheusMerge }),
        proxyConfigs: objects.flatMap(ruleOf),
        trustDomain,
      },
      release,
      readProxyConfig,
    });
    const isOfMesh = ({ path }: { readonly path: string }): boolean => path.startsWith("defaultConfig");
    const said =
      (source: string) =>
      ({ path, message }: { readonly path: string; readonly message: string }): string =>
        `${source}: ${path}: ${message}`;
    return {
      settings,
      problems: problems.filter((each) => !isOfMesh(each)).map(said(valuesFile)),
      meshProblems: problems.filter(isOfMesh).map(said("MeshConfig")),
    };
  }

  /** The values as the file has them by now. */
  #read(): { readonly values: Fields; readonly problems: readonly string[] } {
    const { valuesFile } = this.#options;
    if (valuesFile === undefined) return { values: {}, problems: [] };
    const unusable = (...reasons: readonly string[]) => ({
      values: {},
      problems: reasons.map((reason) => `${valuesFile}: ${reason}`),
    });
    try {
      const text = readRegularText(valuesFile, { maxBytes: configurationLimits.maxBytes });
      const read = readYaml(text, configurationLimits);
      if (read.kind === "refused") return unusable(...read.faults.map(({ message }) => message));
      if (read.value === null) return { values: {}, problems: [] };
      return isMapping(read.value)
        ? { values: read.value, problems: [] }
        : unusable("must be a mapping of values, such as global: {hub: registry.example}");
    } catch (error) {
      return unusable(`cannot be read: ${errorMessage(error)}`);
    }
  }
}

function ruleOf(object: ConfigObject): readonly ProxyConfigRule[] {
  if (object.kind !== "ProxyConfig") return [];
  const { selector, concurrency, environmentVariables, image } = object.spec;
  const fields = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(environmentVariables === undefined ? {} : { proxyMetadata: environmentVariables }),
    ...(image?.imageType === undefined ? {} : { image: { imageType: image.imageType } }),
  };
  return [{ namespace: object.namespace, matchLabels: selector?.matchLabels, fields }];
}
