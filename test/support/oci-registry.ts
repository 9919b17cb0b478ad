/** A small OCI registry: images that a test pushes, and one of the ways to authenticate. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pack } from "tar-stream";
import { gzipSync } from "node:zlib";
import { type Answer, bytes, type ModuleServer, startModuleServer, status } from "./module-server.ts";

export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  plainLayer: "application/vnd.oci.image.layer.v1.tar",
  wasm: "application/vnd.module.wasm.content.layer.v1+wasm",
  wasmConfig: "application/vnd.module.wasm.config.v1+json",
} as const;

export interface Layer {
  readonly mediaType: string;
  readonly content: Buffer;
}

export interface TestRegistry extends ModuleServer {
  /** Push an image under a tag; gives its digest with `sha256:`. */
  push(repository: string, tag: string, layers: readonly Layer[], mediaType?: string): string;
  /** Push a list of images. */
  pushIndex(
    repository: string,
    tag: string,
    entries: readonly { readonly digest: string; readonly os: string; readonly architecture: string }[],
  ): string;
  /** Demand a user of everybody, by `Basic` or by tokens of this server. */
  demand(kind: "basic" | "bearer", user: { readonly name: string; readonly password: string }): void;
  /** `Authorization` of each request for a manifest or a blob. */
  readonly shown: readonly (string | undefined)[];
}

export async function startRegistry(tls?: Parameters<typeof startModuleServer>[0]): Promise<TestRegistry> {
  const server = await startModuleServer(tls);
  const shown: (string | undefined)[] = [];
  let allow: Answer | undefined;
  const serve = (path: string, content: Buffer, mediaType: string): void => {
    server.answers.set(path, (request, response) => {
      shown.push(request.headers.authorization);
      if (allow !== undefined && !isAllowed(request, response, allow)) return;
      response.setHeader("content-type", mediaType);
      bytes(content)(request, response);
    });
  };
  const put = (repository: string, tag: string, manifest: object, mediaType: string): string => {
    const content = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(content);
    for (const reference of [tag, digest])
      serve(`/v2/${repository}/manifests/${reference}`, content, mediaType);
    return digest;
  };
  return {
    ...server,
    shown,
    push: (repository, tag, layers, mediaType = mediaTypes.manifest) => {
      for (const { content } of layers)
        serve(`/v2/${repository}/blobs/${digestOf(content)}`, content, "application/octet-stream");
      const described = layers.map(({ mediaType: type, content }) => ({
        mediaType: type,
        digest: digestOf(content),
        size: content.length,
      }));
      const config = { mediaType: mediaTypes.wasmConfig, digest: digestOf(Buffer.from("{}")), size: 2 };
      return put(repository, tag, { schemaVersion: 2, mediaType, config, layers: described }, mediaType);
    },
    pushIndex: (repository, tag, entries) => {
      const manifests = entries.map(({ digest, os, architecture }) => ({
        ...{ digest, size: 100, mediaType: mediaTypes.manifest },
        platform: { os, architecture },
      }));
      return put(repository, tag, { schemaVersion: 2, manifests }, mediaTypes.index);
    },
    demand: (kind, { name, password }) => {
      const basic = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
      const token = "token-of-the-registry";
      server.answers.set("/token", (request, response) => {
        const { searchParams } = new URL(request.url ?? "", server.url);
        if (request.headers.authorization !== basic || searchParams.get("scope") === null)
          status(401)(request, response);
        else bytes(Buffer.from(JSON.stringify({ token })))(request, response);
      });
      const realm = `Bearer realm="${server.url}/token",service="test"`;
      allow = (request, response) => {
        const expected = kind === "basic" ? basic : `Bearer ${token}`;
        if (request.headers.authorization !== expected)
          response
            .writeHead(401, { "www-authenticate": kind === "basic" ? 'Basic realm="test"' : realm })
            .end();
      };
    },
  };
}

function isAllowed(request: IncomingMessage, response: ServerResponse, allow: Answer): boolean {
  allow(request, response);
  return !response.writableEnded;
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** A tar with these files. */
export async function tarOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A layer as container tools make it. */
export async function tarLayer(files: Readonly<Record<string, Buffer>>): Promise<Layer> {
  return { mediaType: mediaTypes.layer, content: gzipSync(await tarOf(files)) };
}
