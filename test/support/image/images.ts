/** The images that the tests' pods are made of, by their names in the manifests. */
import { join } from "node:path";
import type { TestImage } from "./pod.ts";

const repository = join(import.meta.dirname, "../../..");

/** As the Dockerfile says. */
const entrypoint = ["/usr/local/bin/pilot-agent"];

/** @param rootfs of the image @param applicationFolder with the files of the application's own TLS */
export function testImages(rootfs: string, applicationFolder: string): Readonly<Record<string, TestImage>> {
  const outrider = { rootfs, entrypoint, user: 1_337 };
  return {
    outrider,
    "outrider:0.1.0": outrider,
    // The image has a Node.js, and the repository an application.
    application: {
      rootfs,
      entrypoint: ["/opt/outrider/lib/node", "/repository/test/support/pod-application.ts", "serve"],
      user: 1_000,
      cwd: "/application",
      mounts: [
        { destination: "/repository", source: repository },
        { destination: "/application", source: applicationFolder },
      ],
    },
  };
}
