/** A registry of npm packages on loopback, for the tests of installing by name. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tarball } from "./kit.ts";

interface Package {
  readonly file: string;
  readonly pkg: Record<string, unknown> & { name: string; version: string };
  /** A wrong hash in the packument. */
  readonly forged?: boolean;
}

/** A registry on loopback: packuments and tarballs of what it was given, and a list of what it was asked. */
export class Registry {
  readonly asked: string[] = [];
  readonly #folder: string;
  readonly #packages: Package[] = [];
  readonly #server: Server = createServer((req, res) => {
    const path = decodeURIComponent((req.url ?? "/").slice(1));
    this.asked.push(path);
    const tgz = this.#packages.find(({ pkg }) => path === `-/${pkg.name}-${pkg.version}.tgz`);
    if (tgz) return void res.end(readFileSync(tgz.file));
    const versions = this.#packages.filter(({ pkg }) => pkg.name === path);
    if (versions.length === 0) {
      res.statusCode = 404;
      return void res.end("{}");
    }
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(this.#packument(path, versions)));
  });

  /** `folder` is for the tarballs. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  publish(files: Record<string, string>, forged = false): void {
    this.#packages.push({
      file: tarball(files, "package", join(this.#folder, String(this.#packages.length))),
      pkg: JSON.parse(files["package.json"]!) as Package["pkg"],
      forged,
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #packument(name: string, list: readonly Package[]): unknown {
    const versions = list.map(({ pkg, file, forged }) => {
      const integrity = `sha512-${createHash("sha512")
        .update(forged ? "other" : readFileSync(file))
        .digest("base64")}`;
      return [pkg.version, { ...pkg, dist: { tarball: `${this.url}-/${name}-${pkg.version}.tgz`, integrity } }];
    });
    return { name, "dist-tags": { latest: list.at(-1)!.pkg.version }, versions: Object.fromEntries(versions) };
  }
}
