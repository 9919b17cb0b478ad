/** Injection in tests: the settings that a file says, and pods of files. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { injectPod, type Injection } from "../../src/controlplane/inject/inject-pod.ts";
import { injectionMesh } from "../../src/controlplane/inject/mesh.ts";
import type { Fields, Pod } from "../../src/controlplane/inject/pod.ts";
import { readPod } from "../../src/controlplane/inject/pod.ts";
import { type InjectionSettings, readInjectionSettings } from "../../src/controlplane/inject/settings.ts";
import { workloadOf } from "../../src/controlplane/inject/workload.ts";
import { readProxyConfig } from "../../src/config/proxy-config/injected.ts";
import { goldenFolder } from "./golden.ts";

/** What a golden file says of the settings, in its first document. */
export interface GivenInjection {
  readonly values?: Fields;
  readonly mesh?: Fields;
  readonly hasNativeSidecars?: boolean;
  readonly place?: { readonly cluster?: string; readonly network?: string };
}

/** One golden file. */
export interface InjectionCase {
  readonly name: string;
  readonly given: GivenInjection;
  readonly object: Fields;
}

export const injectionFolder = join(goldenFolder, "inject");

export function injectionCases(): readonly InjectionCase[] {
  return readdirSync(injectionFolder)
    .filter((file) => file.endsWith(".yaml"))
    .toSorted()
    .map((file) => {
      const documents = parseAllDocuments(readFileSync(join(injectionFolder, file), "utf8")).map(
        (document) => document.toJS() as Fields,
      );
      const given = documents.length > 1 ? (documents[0] as GivenInjection) : {};
      return { name: file.replace(/\.yaml$/, ""), given, object: documents.at(-1) ?? {} };
    });
}

/** @throws where something of them is wrong */
export function settingsOf({ values = {}, mesh = {} }: GivenInjection = {}): InjectionSettings {
  const { settings, problems } = readInjectionSettings({
    values,
    mesh: injectionMesh(mesh),
    release: "1.0.0",
    readProxyConfig,
  });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return settings;
}

/** What the object's pods become. */
export function injected({ given, object }: Omit<InjectionCase, "name">): Injection & { readonly from: Pod } {
  const workload = workloadOf(object);
  const pod = readPod(workload?.template);
  if (workload === undefined || !("spec" in pod)) throw new Error("no pod");
  const { place = {}, hasNativeSidecars = false } = given;
  const namespace = workload.namespace;
  const owner = workload.owner(pod);
  return {
    ...injectPod(pod, { ...place, namespace, owner, hasNativeSidecars }, settingsOf(given)),
    from: pod,
  };
}
