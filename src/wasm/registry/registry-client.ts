/**
 * One image of a registry, over the pull half of the OCI distribution specification.
 */
import { createHash } from "node:crypto";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type FetchFailure, WasmFetchError } from "../fetch-error.ts";
import type { GuardedHttp, GuardedResponse } from "../fetch/guarded-http.ts";
import { receiveBytes, receiveFile } from "../fetch/receive.ts";
import { statusError } from "../fetch/status.ts";
import { readChallenge } from "./challenge.ts";
import type { Credentials } from "./docker-config.ts";
import type { ImageReference } from "./image-reference.ts";
import {
  chooseImage,
  chooseLayer,
  type Descriptor,
  type Manifest,
  manifestTypes,
  readManifest,
} from "./manifest.ts";
import { basic, fetchToken } from "./token.ts";

/** Who asks, and how long. */
export interface RegistryClientOptions {
  readonly http: GuardedHttp;
  readonly image: ImageReference;
  readonly credentials: Credentials;
  /** Of the machine, in the words of images: `amd64`. */
  readonly architecture: string;
  readonly signal: AbortSignal;
  /** Runs one request, again if it fails. */
  readonly again: <T>(request: () => Promise<T>) => Promise<T>;
}

/** An image and what its module is in. */
export interface ResolvedImage {
  /** SHA-256 of its manifest, as hexadecimal digits. */
  readonly digest: string;
  /** Likewise, of the list of images that it was chosen from. */
  readonly indexDigest: string | undefined;
  readonly layer: Descriptor;
  readonly isTar: boolean;
}

const maxManifestBytes = 4_194_304;

/** Asks for one image. */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  #authorization: string | undefined;
  #base: URL;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#base = new URL(`https://${options.image.host}`);
    if (options.credentials.kind === "registry-token")
      this.#authorization = `Bearer ${options.credentials.token}`;
  }

  /** Find the module's layer. @throws WasmFetchError */
  async resolve(): Promise<ResolvedImage> {
    const { image, architecture } = this.#options;
    const named = await this.#manifest(image.digest ?? image.tag ?? "latest");
    let found = named;
    if (named.manifest.kind === "index") {
      const chosen = chooseImage(named.manifest.manifests, architecture);
      if (chosen === undefined) throw unusable("none of its images is for this machine or for Wasm");
      found = await this.#manifest(chosen.digest);
    }
    const { manifest, digest } = found;
    if (manifest.kind !== "image")
      throw unusable(manifest.kind === "index" ? "it is a list of lists of images" : manifest.reason);
    const module = chooseLayer(manifest.layers);
    if (module.kind === "none") throw unusable(module.reason);
    const { layer, isTar } = module;
    return { digest, indexDigest: found === named ? undefined : named.digest, layer, isTar };
  }

  /** Write a layer to a new file. @throws WasmFetchError */
  async download(
    { digest, size }: Descriptor,
    path: (attempt: number) => string,
    maxBytes: number,
  ): Promise<string> {
    if (size > maxBytes)
      throw new WasmFetchError("download_failure", `its layer is larger than ${maxBytes} bytes`);
    let attempt = 0;
    return this.#options.again(async () => {
      attempt += 1;
      const target = path(attempt);
      using response = await this.#get(`blobs/${digest}`, "download_failure", {});
      const received = `sha256:${await receiveFile(response, target, maxBytes)}`;
      if (received !== digest) throw mismatch("layer", digest, received);
      return target;
    });
  }

  async #manifest(reference: string): Promise<{ readonly digest: string; readonly manifest: Manifest }> {
    const bytes = await this.#options.again(async () => {
      using response = await this.#get(`manifests/${reference}`, "manifest_failure", {
        accept: manifestTypes.join(", "),
      });
      return await receiveBytes(response, maxManifestBytes);
    });
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (reference.startsWith("sha256:") && reference !== `sha256:${digest}`)
      throw mismatch("manifest", reference, `sha256:${digest}`);
    return { digest, manifest: readManifest(bytes) };
  }

  async #get(
    path: string,
    code: FetchFailure,
    headers: Readonly<Record<string, string>>,
  ): Promise<GuardedResponse> {
    let response = await this.#ask(path, headers);
    if (response.status === 401) {
      const challenge = response.headers["www-authenticate"];
      response[Symbol.dispose]();
      this.#authorization = await this.#authorize(challenge);
      response = await this.#ask(path, headers);
    }
    if (response.status === 200) return response;
    response[Symbol.dispose]();
    throw statusError(code, this.#base, response.status, path);
  }

  async #ask(path: string, headers: Readonly<Record<string, string>>): Promise<GuardedResponse> {
    const { http, image, signal } = this.#options;
    const send = (): Promise<GuardedResponse> =>
      http.send({
        url: new URL(`/v2/${image.repository}/${path}`, this.#base),
        headers: {
          ...headers,
          ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
        },
        signal,
      });
    try {
      return await send();
    } catch (error) {
      const plain = new URL(`http://${image.host}`);
      if (this.#base.protocol === "http:" || !http.licence(plain).insecure || signal.aborted) throw error;
      // Many registries that need no trust have no TLS at all.
      this.#base = plain;
      return await send().catch((second: unknown) => {
        this.#base = new URL(`https://${image.host}`);
        throw new WasmFetchError(
          "download_failure",
          `${errorMessage(error)}; without TLS: ${errorMessage(second)}`,
          {
            cause: second,
            isTransient: second instanceof WasmFetchError && second.isTransient,
          },
        );
      });
    }
  }

  async #authorize(header: string | undefined): Promise<string> {
    const { http, credentials, image, signal } = this.#options;
    const challenge = readChallenge(header);
    if (challenge.kind === "unusable")
      throw new WasmFetchError(
        "manifest_failure",
        `${image.registry} cannot be authenticated to: ${challenge.reason}`,
      );
    if (challenge.kind === "basic") {
      if (credentials.kind === "password") return basic(credentials);
      throw new WasmFetchError(
        "manifest_failure",
        `${image.registry} demands a user: name a pull secret that has one for it`,
      );
    }
    const { repository } = image;
    return `Bearer ${await fetchToken(http, { challenge, credentials, registry: this.#base, repository, signal })}`;
  }
}

function unusable(reason: string): WasmFetchError {
  return new WasmFetchError("manifest_failure", `the image has no module that can be used: ${reason}`);
}

function mismatch(what: string, expected: string, received: string): WasmFetchError {
  return new WasmFetchError("checksum_mismatched", `the ${what} has the digest ${received}, not ${expected}`);
}
