/** The sections of `config.json` that belong to the kernel itself: `gateway` and `plugins`. Defaults live here, in memory only. */
import { type Static, Type } from "@chela/sdk";

export const GatewaySection = Type.Object({
  host: Type.String({ default: "", description: "Address to listen on; wins over `bind`." }),
  port: Type.Integer({ minimum: 0, maximum: 65535, default: 18790, description: "TCP port; 0 takes a free one." }),
  bind: Type.Union([Type.Literal("loopback"), Type.Literal("lan"), Type.Literal("auto")], {
    default: "loopback",
    description: "loopback: this machine; lan: all interfaces; auto: all interfaces when auth is set, else loopback.",
  }),
  basePath: Type.String({
    default: "",
    maxLength: 256,
    pattern: "^(/[\\w~-][\\w.~-]*)*$",
    description: "Answer below this path as well, such as /chela; for a proxy that passes it on. No slash at the end.",
  }),
  token: Type.String({ default: "", secret: true, description: "ClawGo's place for the token; `auth.token` wins." }),
  auth: Type.Object(
    {
      mode: Type.Union(
        [
          Type.Literal(""),
          Type.Literal("token"),
          Type.Literal("password"),
          Type.Literal("trusted-proxy"),
          Type.Literal("none"),
        ],
        { default: "", description: "Empty: password when one is set, else token." },
      ),
      token: Type.String({ default: "", secret: true, description: "Empty: the generated one in the state dir." }),
      password: Type.String({ default: "", secret: true, description: "For auth.mode password." }),
      maxFailuresPerMinute: Type.Integer({
        minimum: 1,
        maximum: 10_000,
        default: 20,
        description: "Wrong credentials per address before 429.",
      }),
      trustedProxy: Type.Object(
        {
          userHeader: Type.String({ default: "x-forwarded-user", description: "Where the proxy names the user." }),
          allowLoopback: Type.Boolean({ default: false, description: "The proxy may run on this machine." }),
          allowUsers: Type.Optional(
            Type.Array(Type.String(), { description: "Absent: whoever the proxy names; empty: nobody." }),
          ),
          scopes: Type.Array(Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")]), {
            default: ["read", "write", "admin"],
            description: "What its users may do.",
          }),
        },
        { default: {} },
      ),
    },
    { default: {} },
  ),
  trustedProxies: Type.Array(Type.String(), {
    default: [],
    description: "Addresses or CIDR ranges whose forwarded headers count.",
  }),
  reload: Type.Object(
    {
      mode: Type.Union([Type.Literal("off"), Type.Literal("hot"), Type.Literal("restart"), Type.Literal("hybrid")], {
        default: "hybrid",
        description:
          "off: nothing applies; hot: what is hot; hybrid: the least that suffices; restart: everything anew.",
      }),
      debounceMs: Type.Integer({
        minimum: 0,
        maximum: 60_000,
        default: 100,
        description: "Quiet time after an edit of the file.",
      }),
    },
    { default: {} },
  ),
  controlUi: Type.Object(
    {
      allowedOrigins: Type.Array(Type.String(), {
        default: [],
        description: "Pages, besides our own, that may open WebSockets, write with a cookie and read by CORS.",
      }),
    },
    { default: {} },
  ),
  tls: Type.Object(
    {
      certPath: Type.String({ default: "", description: "PEM file; both paths set turn TLS on." }),
      keyPath: Type.String({ default: "", description: "PEM file of its private key." }),
    },
    { default: {} },
  ),
  limits: Type.Object(
    {
      bodyBytes: Type.Integer({ minimum: 1024, default: 16_777_216, description: "A JSON body." }),
      frameBytes: Type.Integer({ minimum: 1024, default: 26_214_400, description: "A WebSocket frame." }),
      socketBufferBytes: Type.Integer({
        minimum: 65_536,
        default: 8_388_608,
        description: "What may wait for a client that reads slowly; more closes it.",
      }),
      sockets: Type.Integer({ minimum: 1, default: 10_000, description: "Open WebSockets." }),
      headersMs: Type.Integer({
        minimum: 1000,
        default: 15_000,
        description: "For the headers, and a stranger's body.",
      }),
      bodyStallMs: Type.Integer({ minimum: 1000, default: 30_000, description: "Silence in the middle of a body." }),
    },
    { default: {} },
  ),
  shutdownGraceMs: Type.Integer({
    minimum: 0,
    maximum: 600_000,
    default: 10_000,
    description: "How long requests in flight may take when the gateway stops.",
  }),
});

export const PluginsSection = Type.Object({
  setupTimeoutMs: Type.Integer({
    minimum: 10,
    maximum: 600_000,
    default: 5000,
    description: "For a plugin's setup, and for its start.",
  }),
  drainMs: Type.Integer({
    minimum: 0,
    maximum: 600_000,
    default: 5000,
    description: "How long in-flight work of a stopped plugin may take.",
  }),
  quarantine: Type.Object(
    {
      faults: Type.Integer({ minimum: 1, default: 10, description: "So many faults within the window stop a plugin." }),
      windowSec: Type.Integer({ minimum: 1, default: 60, description: "Length of that window in seconds." }),
    },
    { default: {} },
  ),
  entries: Type.Record(
    Type.String(),
    Type.Object({
      enabled: Type.Optional(Type.Boolean({ description: "Absent: what the plugin says, on for most." })),
      // Of a plugin that is not installed nobody knows what is secret; the schema of one that is takes this place.
      config: Type.Optional(Type.Unknown({ secret: "perhaps", description: "The plugin's own section." })),
    }),
    { default: {} },
  ),
});

export type GatewaySettings = Static<typeof GatewaySection>;
export type PluginsSettings = Static<typeof PluginsSection>;
