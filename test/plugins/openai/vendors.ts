/** Upstreams of other vendors behind the OpenAI face, each with the gateway before it and the official client. */
import type { Plugin } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import openai from "../../../plugins/openai/index.ts";
import providers from "../../../plugins/providers/index.ts";
import store from "../../../plugins/store/index.ts";
import { startAnthropic } from "../../simulators/anthropic/api.ts";
import { startGemini } from "../../simulators/gemini/api.ts";
import { startResponses } from "../../simulators/responses/api.ts";
import type { Vendor } from "../../simulators/vendor/server.ts";

const plugins: readonly Plugin[] = [store, providers, chat, openai];

const vendors = {
  claude: async () => {
    const vendor = await startAnthropic();
    return { vendor, entry: { api_base: `${vendor.origin}/v1`, api_key: "sk-ant-sim", models: ["claude-sim"] } };
  },
  gemini: async () => {
    const vendor = await startGemini();
    return { vendor, entry: { api_base: `${vendor.origin}/v1beta`, api_key: "AIza-sim", models: ["gemini-sim"] } };
  },
  openai: async () => {
    const vendor = await startResponses();
    const responses = { api: "responses" };
    return { vendor, entry: { api_base: `${vendor.origin}/v1`, api_key: "sk-sim", models: ["gpt-sim"], responses } };
  },
} as const;

interface Opened {
  readonly client: OpenAI;
  readonly vendor: Vendor;
  readonly model: string;
}

/** `own`: the name of its model. */
export async function open(name: keyof typeof vendors, own?: string): Promise<Opened> {
  const { vendor, entry: usual } = await vendors[name]();
  const entry = own === undefined ? usual : { ...usual, models: [own] };
  const host = await startHost({ plugins, config: { models: { providers: { [name]: entry } } }, port: 0 });
  onTestFinished(() => host.stop());
  const client = new OpenAI({ baseURL: `${host.url}/v1`, apiKey: host.token, maxRetries: 0 });
  return { client, vendor, model: `${name}/${entry.models[0]}` };
}
