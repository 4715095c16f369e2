/** The WebUI's step: Vite builds the page in memory; beside each text file lie its compressed forms, made once and not per request. */
import { join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const compressible = /\.(?:js|css|svg)$/;
/** Less than this is one packet anyway. */
const worthIt = 1024;

/** Returns the outputs (absolute path → bytes) without writing them, and the files of packages that went in. */
export async function webui({ root, dist }) {
  const { build } = await import("vite");
  const built = await build({
    configFile: false,
    root: join(root, "plugins/webui/app"),
    // Relative addresses: the page works below any prefix.
    base: "./",
    logLevel: "warn",
    // Said here, so that it does not hang on the NODE_ENV of whoever builds.
    resolve: { conditions: ["module", "browser", "production"] },
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      assetsDir: "ui",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: ["chrome123", "firefox128", "safari17.5"],
      reportCompressedSize: false,
    },
  });
  const output = withStyle((Array.isArray(built) ? built[0] : built).output);
  const files = output.flatMap((item) => withCompressed(join(dist, "webui", item.fileName), bytesOf(item)));
  const inputs = output.flatMap((item) => (item.type === "chunk" ? item.moduleIds : []));
  return { files, inputs: inputs.map((id) => relative(root, id).split(sep).join("/")) };
}

const sheet = /<link rel="stylesheet"[^>]* href="\.\/([^"]+)">/;

/** The few styles of the document itself lie in it: the first picture waits for nothing else. */
function withStyle(output) {
  const page = output.find(({ fileName }) => fileName === "index.html");
  const [link, name] = sheet.exec(page.source);
  const styles = String(output.find(({ fileName }) => fileName === name).source).trim();
  const source = page.source.replace(link, () => `<style>${styles}</style>`);
  const others = output.filter((item) => item !== page && item.fileName !== name);
  return [{ type: "asset", fileName: page.fileName, source }, ...others];
}

function bytesOf(item) {
  return Buffer.from(item.type === "chunk" ? item.code : item.source);
}

function withCompressed(path, bytes) {
  if (!compressible.test(path) || bytes.length < worthIt) return [[path, bytes]];
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return [
    [path, bytes],
    [`${path}.br`, brotliCompressSync(bytes, { params: quality })],
    [`${path}.gz`, gzipSync(bytes, { level: 9 })],
  ];
}
