/** The section `sentinel`: ClawGo's keys. Everything in it is read live. */
import { type Static, Type } from "@chela/sdk";

export const SentinelSection = Type.Object({
  enabled: Type.Boolean({ default: true, description: "Look at the health checks, and tell when one fails." }),
  interval_sec: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description: "Seconds from one look to the next.",
  }),
  webhook_url: Type.String({
    default: "",
    // Chat services hide what lets one in in its path.
    secret: true,
    maxLength: 4096,
    pattern: "^(https?://\\S+)?$",
    description:
      "Where alerts are posted as JSON, http or https; a user and a password in it become basic auth. Empty: nowhere.",
  }),
});

export type SentinelSettings = Static<typeof SentinelSection>;
