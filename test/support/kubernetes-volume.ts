/** A volume as the kubelet writes it: files are links through `..data`, which is exchanged in one step. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class KubernetesVolume {
  readonly #folder: string;
  #versions = 0;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Replace all files. */
  write(files: Readonly<Record<string, string>>): void {
    const folder = this.#folder;
    const old = `..version-${this.#versions}`;
    this.#versions += 1;
    const version = `..version-${this.#versions}`;
    mkdirSync(join(folder, version));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, version, name), content);
    symlinkSync(version, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    if (this.#versions === 1) {
      for (const name of Object.keys(files)) symlinkSync(join("..data", name), join(folder, name));
    }
    rmSync(join(folder, old), { recursive: true, force: true });
  }
}
