/** Runs a program on a disk of its own that is soon full: a small tmpfs in a mount namespace. */
import { inNamespace, whyNoNamespace } from "./namespaced-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface SmallDiskOptions {
  readonly kibibytes: number;
  /** Path of a module that calls `answerAsProgram`; its options are `{ disk }`, the folder of the disk. */
  readonly program: string;
}

/** Why there can be no such disk; undefined when there can. A failure in CI, where there must be. */
export function whyNoSmallDisk(): string | undefined {
  return whyNoNamespace(
    ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
    "needs the privilege to mount in a namespace",
  );
}

/** Resolves with the program's result. */
export async function onSmallDisk<T>({ kibibytes, program }: SmallDiskOptions): Promise<T> {
  using disk = temporaryFolder();
  return await inNamespace<T>({
    namespace: "--mount",
    prepare: [`mount -t tmpfs -o size=${kibibytes}k,mode=0700 tmpfs '${disk.path}'`],
    program,
    options: { disk: disk.path },
  });
}
