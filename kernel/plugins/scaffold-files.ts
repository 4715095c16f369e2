/** What a new plugin consists of. The texts are what an author reads first: each shows one thing, and all of it runs. */
import { panelFile } from "./scaffold-panel.ts";
import { registrations, title } from "./scaffold-setup.ts";

export interface ScaffoldFacts {
  readonly name: string;
  readonly id: string;
  readonly sdkDir: string;
}

/** Relative path → text. */
export function scaffoldFiles(facts: ScaffoldFacts): Readonly<Record<string, string>> {
  return {
    "package.json": packageJson(facts),
    "index.ts": source(facts),
    "panel/panel.js": panelFile(facts.id),
    [`test/${facts.id}.test.js`]: test(facts),
    "README.md": readme(facts),
    "tsconfig.json": tsconfig,
    ".gitignore": "node_modules/\n*.tgz\n",
  };
}

function packageJson({ name, id, sdkDir }: ScaffoldFacts): string {
  const content = {
    name,
    version: "0.1.0",
    description: "A Chela plugin that greets",
    keywords: ["chela", "chela-plugin"],
    type: "module",
    exports: "./index.ts",
    files: ["index.ts", "panel", "README.md"],
    scripts: { test: "node --test" },
    chela: { id, host: "^1.0.0" },
    peerDependencies: { "@chela/sdk": "^1.0.0" },
    devDependencies: { "@chela/sdk": `file:${sdkDir.replaceAll("\\", "/")}` },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function source(facts: ScaffoldFacts): string {
  return `${manifest(facts)}
  setup(ctx) {
${registrations(facts.id)}  },
});
`;
}

function manifest({ id }: ScaffoldFacts): string {
  return `import { definePlugin, type Socket, Type } from "@chela/sdk";
import pkg from "./package.json" with { type: "json" };

const Name = Type.String({ minLength: 1, maxLength: 100, default: "you" });
const Greeting = Type.Object({ text: Type.String() });

export default definePlugin({
  id: "${id}",
  version: pkg.version,
  host: "^1.0.0",
  about: "Greets over HTTP, WebSocket and RPC, as a tool of the agent, and on a page of the WebUI.",
  config: Type.Object({
    greeting: Type.String({ default: "Hello", description: "Applies at once: it is in \`hot\`." }),
    everyMs: Type.Integer({ minimum: 10, default: 60_000, description: "A change restarts this plugin, and only this one." }),
  }),
  hot: ["greeting"],
`;
}

function test({ id }: ScaffoldFacts): string {
  return `import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHost } from "@chela/sdk/testing";

/** A real host in memory: no port, a temporary state dir. It compiles this folder by itself. */
let host;
before(async () => {
  host = await startHost({ plugins: [new URL("..", import.meta.url)], clock: "fake" });
});
after(() => host.stop());

test("the route greets", async () => {
  const reply = await host.request("/api/${id}?name=Ada");
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.json(), { text: "Hello, Ada!" });
});

test("the route needs a token and a sensible name", async () => {
  assert.equal((await host.request("/api/${id}", { token: null })).status, 401);
  assert.equal((await host.request("/api/${id}?name=")).status, 400);
});

test("the page of the WebUI is there", async () => {
  const [panel] = host.gateway.panels();
  assert.equal(panel.id, "${id}");
  const module = await host.request(panel.module);
  assert.equal(module.status, 200);
  assert.match(module.text, /customElements\\.define\\("chela-panel-${id}"/);
});

test("the stream answers, and greets everyone when the time has come", async () => {
  const socket = await host.connect("/api/${id}/live");
  socket.send({ name: "Bo" });
  assert.deepEqual(await socket.next(), { text: "Hello, Bo!" });
  await host.clock.tick(60_000);
  assert.deepEqual(await socket.next(), { text: "Hello, everyone!" });
  socket.close();
});

test("a hot key applies at once, another one restarts this plugin", async () => {
  const set = (key, value) => host.config.write([{ path: \`plugins.entries.${id}.config.\${key}\`, value }], { who: "test" });
  const hot = await set("greeting", "Hi");
  assert.deepEqual(hot.restarted, []);
  assert.deepEqual((await host.request("/api/${id}?name=Ada")).json(), { text: "Hi, Ada!" });
  const other = await set("everyMs", 5000);
  assert.deepEqual(other.restarted, ["${id}"]);
});
`;
}

function readme({ name, id }: ScaffoldFacts): string {
  const tool = `${id.replaceAll("-", "_")}_greet`;
  return `# ${name}

A plugin for [Chela](https://www.npmjs.com/package/chela). It greets, to show each thing a plugin can do once.

| what | where |
|---|---|
| route | \`GET /api/${id}?name=Ada\` |
| stream | \`/api/${id}/live\`: send \`{"name":"Ada"}\` |
| method | \`chela call ${id}.greet '{"name":"Ada"}'\` |
| tool | \`${tool}\`, for the agent |
| page | **${title(id)}** in the WebUI: \`chela open\` |

## Test it

\`\`\`sh
npm test
\`\`\`

The test starts a real host in memory with this folder as a plugin. \`node_modules/@chela/sdk\` is a link to the SDK of the
Chela that made this folder, so nothing has to be installed first.

## Run it

\`\`\`sh
chela plugins install .
TOKEN=$(cat ~/.chela/token)
curl -H "authorization: Bearer $TOKEN" "http://127.0.0.1:18790/api/${id}?name=Ada"
\`\`\`

Install again after a change: the gateway takes the new version without dropping a request. \`chela plugins disable ${id}\`
turns it off, \`chela plugins uninstall ${id}\` removes it.

## Settings

\`\`\`sh
chela config set plugins.entries.${id}.config.greeting Salut
chela config set plugins.entries.${id}.config.everyMs 5000
\`\`\`

| key | default | a change |
|---|---|---|
| \`greeting\` | \`Hello\` | applies at once |
| \`everyMs\` | \`60000\` | restarts this plugin, and only this one |

## Publish it

\`npm publish\`. Whoever runs Chela then installs it by name: \`chela plugins install ${name}\`. \`chela.host\` in
\`package.json\` says which hosts may run it, before any of its code does.
`;
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2023",
    "module": "NodeNext",
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "resolveJsonModule": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true,
    "checkJs": true
  },
  "include": ["**/*.ts", "panel/*.js"]
}
`;
