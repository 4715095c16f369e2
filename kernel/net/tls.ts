/** The certificate and key of the port: PEM files, read anew whenever they are needed and checked before anything else happens. */
import { readFile } from "node:fs/promises";
import { GatewayError } from "@chela/sdk";

export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The certificate itself, without those that lead to its authority, in PEM form. */
  readonly leaf: string;
}

/** undefined: plain HTTP. Throws `TLS_FILES` when only one of the two is named. */
export function tlsFiles({ certPath, keyPath }: TlsFiles): TlsFiles | undefined {
  if (certPath === "" && keyPath === "") return undefined;
  if (certPath !== "" && keyPath !== "") return { certPath, keyPath };
  const missing = certPath === "" ? "certPath" : "keyPath";
  throw refused(missing, "must be set too; TLS needs certificate and key");
}

/** Throws `TLS_FILES`: a file that cannot be read, is no PEM, or a key that does not belong to the certificate. */
export async function readTls({ certPath, keyPath }: TlsFiles): Promise<TlsMaterial> {
  const [cert, key] = [await read("certPath", certPath), await read("keyPath", keyPath)];
  const { createSecureContext } = await import("node:tls");
  check("certPath", certPath, () => createSecureContext({ cert }));
  check("keyPath", keyPath, () => createSecureContext({ cert, key }));
  const { X509Certificate } = await import("node:crypto");
  return { cert, key, leaf: new X509Certificate(cert).toString() };
}

async function read(name: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw refused(name, `must be a readable PEM file: ${(error as Error).message}`);
  }
}

function check(name: string, path: string, use: () => void): void {
  try {
    use();
  } catch (error) {
    const what = name === "certPath" ? "a certificate in PEM form" : "the certificate's own key in PEM form";
    throw refused(name, `must be ${what}: ${path}: ${(error as Error).message}`);
  }
}

function refused(name: string, why: string): GatewayError {
  return new GatewayError("TLS_FILES", 400, `gateway.tls.${name} ${why}`);
}
