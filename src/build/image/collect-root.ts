/**
 * Runs inside the image's build, on a Debian: puts into one folder what outrider, Envoy and traffic capture need of it, and
 * no shell. The folder becomes the image's root.
 *
 * What it needs of Debian is found by ldd(1); the packages that the files belong to are noted as distroless images do it
 * (`/var/lib/dpkg/status.d`), where scanners look them up, with their licences, and in the bill of materials.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Component, componentsOf, spdxDocument } from "../release/sbom.ts";

const [release = "", envoy = "", target = ""] = process.argv.slice(2);

/** The sidecar's user and group, as Istio's images have it. */
const proxyId = 1_337;

/** Folders that a container without volumes writes to. */
const proxyFolders = [
  "etc/istio/proxy",
  "var/lib/istio/data",
  "var/lib/outrider",
  "var/run/secrets/workload-spiffe-uds",
  "var/run/secrets/workload-spiffe-credentials",
];

/**
 * Those that are covered by memory where there is no emptyDir: runc before 1.1.8 gives it the mode of what it covers, whatever
 * it is told, and root as its owner.
 */
const coveredFolders = new Set([
  "etc/istio/proxy",
  "var/lib/istio/data",
  "var/run/secrets/workload-spiffe-uds",
]);

/** Files of Debian that are in the image. */
const taken = new Set<string>();

/** Where a file really is: `/lib` is `/usr/lib`, and so on. The name itself stays: programs ask for it. */
function realName(path: string): string {
  return join(realpathSync(dirname(path)), basename(path));
}

function take(path: string): void {
  const to = join(target, realName(path));
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(path, to);
  taken.add(realpathSync(path));
}

function libraries(program: string): readonly string[] {
  const output = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}

function takeProgram(path: string): void {
  take(path);
  for (const library of libraries(path)) take(library);
}

function link(path: string, to: string): void {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  symlinkSync(to, join(target, path));
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), content);
}

function takeCapture(): void {
  for (const name of ["nft", "ip", "xtables-nft-multi", "xtables-legacy-multi"]) {
    takeProgram(`/usr/${name === "ip" ? "bin" : "sbin"}/${name}`);
  }
  for (const family of ["iptables", "ip6tables"]) {
    for (const action of ["", "-save", "-restore"]) {
      for (const kind of ["nft", "legacy"])
        link(`usr/sbin/${family}-${kind}${action}`, `xtables-${kind}-multi`);
      link(`usr/sbin/${family}${action}`, "xtables-nft-multi");
    }
  }
  const modules = dirname(
    execFileSync("dpkg", ["-L", "iptables"], { encoding: "utf8" }).match(
      /^.*\/xtables\/libxt_owner\.so$/m,
    )?.[0] ?? "",
  );
  // Bridges and ARP have nothing to do with a pod.
  for (const name of readdirSync(modules).filter((name) => /^lib(?:xt|ipt|ip6t)_/.test(name)))
    take(join(modules, name));
}

interface DebianPackage {
  readonly name: string;
  readonly stanza: string;
}

/** The packages that what was taken belongs to. */
function debianPackages(): readonly DebianPackage[] {
  const info = "/var/lib/dpkg/info";
  const owners = readdirSync(info)
    .filter((name) => name.endsWith(".list"))
    .filter((name) =>
      readFileSync(join(info, name), "utf8")
        .split("\n")
        // dpkg may know /lib where the file is in /usr/lib.
        .some((path) => taken.has(path) || taken.has(join("/usr", path))),
    )
    .map((name) => name.slice(0, -".list".length));
  // What a package's scripts make belongs to no package.
  return [...new Set([...owners, "ca-certificates"])].toSorted().map((name) => ({
    name: name.replace(/:.*$/, ""),
    stanza: execFileSync("dpkg-query", ["--status", name], { encoding: "utf8" }),
  }));
}

function fieldOf(text: string, name: string): string {
  return new RegExp(`^${name}[:=]\\s*"?(.*?)"?$`, "m").exec(text)?.[1] ?? "";
}

function describePackages(osRelease: string): readonly Component[] {
  return debianPackages().map(({ name, stanza }) => {
    write(`var/lib/dpkg/status.d/${name}`, stanza);
    const copyright = `usr/share/doc/${name}/copyright`;
    mkdirSync(dirname(join(target, copyright)), { recursive: true });
    copyFileSync(realpathSync(join("/", copyright)), join(target, copyright));
    const version = fieldOf(stanza, "Version");
    const distro = `${fieldOf(osRelease, "ID")}-${fieldOf(osRelease, "VERSION_ID")}`;
    return {
      name,
      version,
      licence: undefined,
      purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${fieldOf(stanza, "Architecture")}&distro=${distro}`,
    };
  });
}

function describeEnvoy(): Component {
  const said = execFileSync(envoy, ["--version"], { encoding: "utf8" });
  const version = /\/(\d+\.\d+\.\d+[^/]*)\//.exec(said)?.[1] ?? "unknown";
  return {
    name: "envoy",
    version,
    licence: "Apache-2.0",
    purl: `pkg:github/envoyproxy/envoy@v${version}`,
    url: `https://github.com/envoyproxy/envoy/releases/tag/v${version}`,
  };
}

mkdirSync(target, { recursive: true });
for (const name of ["bin", "sbin", "lib", "lib64"]) {
  mkdirSync(join(target, "usr", name), { recursive: true });
  link(name, join("usr", name));
}
takeCapture();
for (const program of [join(release, "lib/node"), envoy])
  for (const library of libraries(program)) take(library);
take("/etc/ssl/certs/ca-certificates.crt");
const osRelease = readFileSync("/etc/os-release", "utf8");
write("etc/os-release", osRelease);
write("etc/nsswitch.conf", "hosts: files dns\n");
write(
  "etc/passwd",
  `root:x:0:0:root:/:/sbin/nologin\nistio-proxy:x:${proxyId}:${proxyId}:istio-proxy:/:/sbin/nologin\n`,
);
write("etc/group", `root:x:0:\nistio-proxy:x:${proxyId}:\n`);
// Where legacy iptables keeps its lock.
mkdirSync(join(target, "run"));
mkdirSync(join(target, "tmp"));
chmodSync(join(target, "tmp"), 0o1777);
for (const folder of proxyFolders) {
  mkdirSync(join(target, folder), { recursive: true });
  chownSync(join(target, folder), proxyId, proxyId);
  if (coveredFolders.has(folder)) chmodSync(join(target, folder), 0o1777);
}
for (const [name, program] of [
  ["pilot-agent", "outrider"],
  ["outrider", "outrider"],
  ["outriderctl", "outriderctl"],
] as const)
  link(`usr/local/bin/${name}`, `../../../opt/outrider/bin/${program}`);

const [subject, ...parts] = componentsOf(readFileSync(join(release, "sbom.spdx.json"), "utf8"));
if (subject === undefined) throw new Error("the release's bill of materials names nothing");
write(
  "usr/share/sbom/outrider.spdx.json",
  spdxDocument({
    subject,
    components: [...parts, describeEnvoy(), ...describePackages(osRelease)],
    createdAt: Number(process.env["SOURCE_DATE_EPOCH"] ?? 0),
  }),
);
cpSync(join(release, "licences/outrider"), join(target, "usr/share/doc/envoy/copyright"));
