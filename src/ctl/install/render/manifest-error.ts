/** A release whose manifests for Kubernetes are not there, or are not what they have to be. The message says what to do. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}
