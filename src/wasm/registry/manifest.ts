/**
 * What is read of an image's manifest: which image of several, and which of its layers has the module. Pure.
 *
 * Media types are those of the OCI image specification, of Docker, and of the two layouts of Wasm images: a module
 * as a layer of its own, and the compatible one with a tar whose `plugin.wasm` is the module.
 */

/** A blob by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly size: number;
}

/** A manifest, as far as it matters. */
export type Manifest =
  /** Of several images. */
  | { readonly kind: "index"; readonly manifests: readonly PlatformDescriptor[] }
  | { readonly kind: "image"; readonly layers: readonly Descriptor[] }
  | { readonly kind: "unusable"; readonly reason: string };

interface PlatformDescriptor extends Descriptor {
  readonly os: string;
  readonly architecture: string;
}

/** The layer with the module. */
export type ModuleLayer =
  | { readonly kind: "layer"; readonly layer: Descriptor; readonly isTar: boolean }
  | { readonly kind: "none"; readonly reason: string };

/** Media types that are asked for. */
export const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
] as const;

const moduleTypes: ReadonlySet<string> = new Set([
  "application/vnd.module.wasm.content.layer.v1+wasm",
  "application/vnd.wasm.content.layer.v1+wasm",
  "application/wasm",
]);

const tarTypes: ReadonlySet<string> = new Set([
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd",
]);

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const mostEntries = 1_000;

/** Read a manifest. Never throws. */
export function readManifest(bytes: Buffer): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return { kind: "unusable", reason: "it is no JSON" };
  }
  const { manifests, layers } = fieldsOf(value);
  if (Array.isArray(manifests)) {
    const found = manifests.slice(0, mostEntries).flatMap((entry: unknown) => {
      const descriptor = readDescriptor(entry);
      if (descriptor === undefined) return [];
      const { os, architecture } = fieldsOf(fieldsOf(entry)["platform"]);
      return [{ ...descriptor, os: textOf(os), architecture: textOf(architecture) }];
    });
    return { kind: "index", manifests: found };
  }
  if (!Array.isArray(layers)) return { kind: "unusable", reason: "it has neither layers nor manifests" };
  const read = layers.slice(0, mostEntries).map(readDescriptor);
  const usable = read.filter((layer) => layer !== undefined);
  if (usable.length < read.length) return { kind: "unusable", reason: "a layer of it has no digest or size" };
  return { kind: "image", layers: usable };
}

/** Which image of several: one for this machine, one for Wasm, the usual one, or the only one. */
export function chooseImage(
  manifests: readonly PlatformDescriptor[],
  architecture: string,
): Descriptor | undefined {
  const images = manifests.filter(({ os }) => os !== "unknown");
  const isLinux = (wanted: string) => (entry: PlatformDescriptor) =>
    entry.os === "linux" && entry.architecture === wanted;
  return (
    images.find(isLinux(architecture)) ??
    images.find(
      (entry) => entry.architecture.startsWith("wasm") || entry.os === "wasi" || entry.os === "wasip1",
    ) ??
    images.find(isLinux("amd64")) ??
    (images.length === 1 ? images[0] : undefined)
  );
}

/** Which layer: one that is a module, or the last one of a container image. */
export function chooseLayer(layers: readonly Descriptor[]): ModuleLayer {
  const module = layers.find(({ mediaType }) => moduleTypes.has(mediaType));
  if (module !== undefined) return { kind: "layer", layer: module, isTar: false };
  const last = layers.at(-1);
  if (last === undefined) return { kind: "none", reason: "the image has no layers" };
  if (tarTypes.has(last.mediaType)) return { kind: "layer", layer: last, isTar: true };
  return {
    kind: "none",
    reason: `the image's last layer is of type ${JSON.stringify(last.mediaType.slice(0, 128))}`,
  };
}

function readDescriptor(value: unknown): Descriptor | undefined {
  const { mediaType, digest, size } = fieldsOf(value);
  if (typeof digest !== "string" || !digestPattern.test(digest)) return undefined;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
  return { mediaType: textOf(mediaType), digest, size };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
