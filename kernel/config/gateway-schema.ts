/** The sections of `config.json` that belong to the kernel itself: `gateway` and `plugins`. Defaults live here, in memory only. */
import { type Static, Type } from "@chela/sdk";

export const GatewaySection = Type.Object({
  host: Type.String({ default: "", description: "Address to listen on; wins over `bind`." }),
  port: Type.Integer({ minimum: 0, maximum: 65535, default: 18790, description: "TCP port; 0 takes a free one." }),
  bind: Type.Union([Type.Literal("loopback"), Type.Literal("lan"), Type.Literal("auto")], {
    default: "loopback",
    description: "loopback: this machine; lan: all interfaces; auto: all interfaces when auth is set, else loopback.",
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
      token: Type.String({ default: "", secret: true }),
      password: Type.String({ default: "", secret: true }),
      maxFailuresPerMinute: Type.Integer({ minimum: 1, maximum: 10_000, default: 20 }),
      trustedProxy: Type.Object(
        {
          userHeader: Type.String({ default: "x-forwarded-user" }),
          allowLoopback: Type.Boolean({ default: false }),
          allowUsers: Type.Optional(
            Type.Array(Type.String(), { description: "Absent: whoever the proxy names; empty: nobody." }),
          ),
          scopes: Type.Array(Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")]), {
            default: ["read", "write", "admin"],
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
      }),
      debounceMs: Type.Integer({ minimum: 0, maximum: 60_000, default: 100 }),
    },
    { default: {} },
  ),
  controlUi: Type.Object({ allowedOrigins: Type.Array(Type.String(), { default: [] }) }, { default: {} }),
  tls: Type.Object(
    {
      certPath: Type.String({ default: "", description: "PEM file; both paths set turn TLS on." }),
      keyPath: Type.String({ default: "" }),
    },
    { default: {} },
  ),
  limits: Type.Object(
    {
      bodyBytes: Type.Integer({ minimum: 1024, default: 16_777_216 }),
      frameBytes: Type.Integer({ minimum: 1024, default: 26_214_400 }),
      socketBufferBytes: Type.Integer({ minimum: 65_536, default: 8_388_608 }),
      sockets: Type.Integer({ minimum: 1, default: 10_000 }),
      headersMs: Type.Integer({ minimum: 1000, default: 15_000 }),
      bodyStallMs: Type.Integer({ minimum: 1000, default: 30_000 }),
    },
    { default: {} },
  ),
  shutdownGraceMs: Type.Integer({ minimum: 0, maximum: 600_000, default: 10_000 }),
});

export const PluginsSection = Type.Object({
  setupTimeoutMs: Type.Integer({ minimum: 10, maximum: 600_000, default: 5000 }),
  drainMs: Type.Integer({
    minimum: 0,
    maximum: 600_000,
    default: 5000,
    description: "How long in-flight work of a stopped plugin may take.",
  }),
  quarantine: Type.Object(
    {
      faults: Type.Integer({ minimum: 1, default: 10 }),
      windowSec: Type.Integer({ minimum: 1, default: 60 }),
    },
    { default: {} },
  ),
  entries: Type.Record(
    Type.String(),
    Type.Object({
      enabled: Type.Optional(Type.Boolean()),
      config: Type.Optional(Type.Unknown()),
    }),
    { default: {} },
  ),
});

export type GatewaySettings = Static<typeof GatewaySection>;
export type PluginsSettings = Static<typeof PluginsSection>;
