/**
 * Where people log in: begins flows, finishes them, takes imported files. Loaded with the first login. What comes out is an
 * account in its file; the config is written only for a provider that is new, or where the operator keeps the list of files in it.
 */
import { GatewayError } from "@chela/sdk";
import type { ProviderSection } from "../schema.ts";
import type { Account } from "./account.ts";
import type { OauthAccounts } from "./accounts.ts";
import { checkCallback, listenForCallback, parseCallback } from "./callback.ts";
import { type Device, openDevice, waitForDevice } from "./device.ts";
import { enrich } from "./enrich.ts";
import { codeFlowMs, type Flow, Flows, type LoginResult, type Nameless, randomText } from "./flow.ts";
import { authorizationUrl, exchanged, firstTokens, isNameless, opened, peerOf, soon } from "./login-steps.ts";
import { exchangeCode, type Tokens } from "./protocol.ts";
import { parseProxy } from "./proxy-url.ts";
import { merged } from "./renewal.ts";
import { emptySession, parseSession, type Session } from "./session.ts";
import { type OauthSettings, requireClient } from "./settings.ts";
import { type Fetch, transportFor } from "./transport.ts";

export interface DeskOptions {
  readonly accounts: OauthAccounts;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** How long a request waits for somebody to confirm a login. */
  readonly waitMs: number;
  /** The provider that a request means. Throws `OAUTH_CONFIG`. */
  readonly settings: (request: LoginRequest) => OauthSettings;
  /** An account file was added: the config gets what it needs to know of it. */
  readonly listed: (settings: OauthSettings, account: Account) => Promise<void>;
}

export interface LoginRequest {
  readonly provider: string;
  readonly label: string;
  readonly proxy: string;
  /** What a request says about a login, instead of the config. */
  readonly inline?: ProviderSection;
  /** All that it says about the provider. */
  readonly whole?: unknown;
}

export interface Started {
  readonly flow: Flow;
  readonly authUrl: string;
  readonly userCode: string;
  readonly instructions: string;
  /** How long there is to finish it. */
  readonly leftMs: number;
}

export class LoginDesk {
  readonly #options: DeskOptions;
  readonly #flows = new Flows();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** `listen`: catch the browser's way back on this machine. Where that port is taken, the address is pasted by hand. */
  async start(request: LoginRequest, listen: boolean): Promise<Started> {
    const settings = this.#options.settings(request);
    requireClient(settings);
    const proxy = parseProxy(request.proxy);
    const flow: Flow = {
      id: randomText(24),
      mode: settings.flow,
      settings,
      send: transportFor(settings, proxy, this.#options.fetch),
      label: request.label,
      proxy,
      state: randomText(24),
      verifier: settings.vendor.pkce ? randomText(64) : "",
      deviceId: settings.vendor.deviceHeader ? randomText(16) : "",
      abort: new AbortController(),
    };
    return flow.mode === "device" ? this.#startDevice(flow) : this.#startCode(flow, listen);
  }

  /** Undefined: the user has not decided yet; ask again. */
  async complete(
    flowId: string,
    callback: string,
    request: Pick<LoginRequest, "label" | "proxy"> & { readonly provider: string | undefined },
    signal: AbortSignal,
  ): Promise<LoginResult | undefined> {
    const flow = this.#flows.get(flowId, request.provider);
    const names = { label: request.label, proxy: parseProxy(request.proxy) };
    if (flow.background === undefined || callback !== "") {
      this.#flows.take(flow);
      return this.#named(await this.#exchange(flow, parseCallback(callback)), flow, names);
    }
    const outcome = await soon(flow.background, this.#options.waitMs, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#flows.end(flow, "it failed");
      throw error;
    });
    if (outcome === undefined) return undefined;
    const result = await this.#named(outcome, flow, names);
    this.#flows.take(flow);
    return result;
  }

  /** False: there is none, or no more. */
  cancel(flowId: string): boolean {
    return this.#flows.cancel(flowId);
  }

  async import(source: string, name: string, request: LoginRequest): Promise<LoginResult> {
    const settings = this.#options.settings(request);
    const { vendor, provider } = settings;
    const parsed = parseSession(source, name);
    if (parsed.provider !== "" && parsed.provider !== vendor.name && parsed.type !== parsed.provider) {
      const message = `${name} is an account of ${parsed.provider}, and ${provider} logs in to ${vendor.name}`;
      throw new GatewayError("OAUTH_IMPORT", 400, message);
    }
    const proxy = parseProxy(request.proxy) ?? parsed.network_proxy;
    const session: Session = {
      ...parsed,
      provider: vendor.name,
      type: parsed.type || "oauth",
      config_provider: provider,
      network_proxy: proxy,
      account_label: request.label || parsed.account_label,
      disabled: false,
      disable_reason: "",
    };
    const send = transportFor(settings, proxy, this.#options.fetch);
    const signal = AbortSignal.timeout(60_000);
    const fresh =
      session.access_token === ""
        ? await firstTokens(session, settings, { send, signal, now: this.#options.now() })
        : session;
    const { session: known, models } = await enrich(fresh, { settings, send, signal });
    return { account: await this.#save(settings, known), models };
  }

  close(): void {
    this.#flows.close();
  }

  async #startCode(flow: Flow, listen: boolean): Promise<Started> {
    const { settings } = flow;
    if (settings.authUrl === "") {
      const key = `models.providers.${settings.provider}.oauth.auth_url`;
      throw new GatewayError("OAUTH_CONFIG", 400, `${settings.vendor.name} has no authorization address: set ${key}`);
    }
    const url = await authorizationUrl(flow);
    if (listen) await this.#listen(flow);
    this.#flows.add(flow, codeFlowMs);
    const instructions = flow.listener
      ? "Open the address in a browser on this machine and log in; this ends by itself."
      : "Open the address in a browser and log in. Then paste the address that you end up at, even if the page does not load.";
    return { flow, authUrl: url, userCode: "", instructions, leftMs: codeFlowMs };
  }

  async #listen(flow: Flow): Promise<void> {
    let arrived: (parameters: URLSearchParams) => void = () => undefined;
    const callback = new Promise<URLSearchParams>((resolve, reject) => {
      arrived = resolve;
      flow.abort.signal.addEventListener("abort", () => reject(flow.abort.signal.reason), { once: true });
    });
    callback.catch(() => undefined);
    try {
      flow.listener = await listenForCallback(flow.settings.redirectUrl, flow.state, (parameters) =>
        arrived(parameters),
      );
    } catch (error) {
      if (GatewayError.is(error) && error.code === "OAUTH_LISTEN") return;
      throw error;
    }
    flow.background = callback
      .then((parameters) => this.#exchange(flow, parameters))
      .then((done) => this.#settle(flow, done));
    flow.background.catch(() => undefined);
  }

  async #startDevice(flow: Flow): Promise<Started> {
    const peer = peerOf(flow);
    if (flow.settings.deviceUrl === "") {
      const key = `models.providers.${flow.settings.provider}.oauth.device_auth_url`;
      throw new GatewayError("OAUTH_CONFIG", 400, `${flow.settings.vendor.name} has no device address: set ${key}`);
    }
    const device = await opened(openDevice(peer, flow.verifier));
    flow.background = this.#device(flow, device);
    flow.background.catch(() => undefined);
    this.#flows.add(flow, Math.min(device.start.expiresMs, 3_600_000) + 60_000);
    const { url, userCode, expiresMs: leftMs } = device.start;
    const instructions = `Open ${url} in a browser, log in and confirm the code ${userCode}; this ends by itself.`;
    return { flow, authUrl: url, userCode, instructions, leftMs };
  }

  async #device(flow: Flow, device: Device): Promise<LoginResult | Nameless> {
    const tokens = await exchanged(waitForDevice(device, flow.abort.signal));
    return this.#settle(flow, await this.#enrich(flow, tokens));
  }

  async #exchange(flow: Flow, parameters: URLSearchParams): Promise<Nameless> {
    checkCallback(parameters, flow.state);
    const { state, verifier, settings } = flow;
    const { redirectUrl } = settings;
    const tokens = await exchanged(exchangeCode(peerOf(flow), { callback: parameters, state, verifier, redirectUrl }));
    return this.#enrich(flow, tokens);
  }

  async #enrich(flow: Flow, tokens: Tokens): Promise<Nameless> {
    const { settings, send, abort, label, proxy, deviceId } = flow;
    const blank: Session = {
      ...emptySession,
      provider: settings.vendor.name,
      config_provider: settings.provider,
      account_label: label,
      network_proxy: proxy ?? "",
      device_id: deviceId,
    };
    return enrich(merged(blank, tokens, this.#options.now()), { settings, send, signal: abort.signal });
  }

  /** Saved at once: whoever began the login may have left. */
  async #settle(flow: Flow, { session, models }: Nameless): Promise<LoginResult | Nameless> {
    if (isNameless(flow.settings, session)) return { session, models };
    return { account: await this.#save(flow.settings, session), models };
  }

  /** Label and proxy may come with the end of the login instead of its start. */
  async #named(
    outcome: LoginResult | Nameless,
    { settings }: Flow,
    { label, proxy }: { readonly label: string; readonly proxy: string | undefined },
  ): Promise<LoginResult> {
    const before = "account" in outcome ? outcome.account.session : outcome.session;
    const session = {
      ...before,
      account_label: label || before.account_label,
      network_proxy: proxy ?? before.network_proxy,
    };
    if (isNameless(settings, session)) {
      const message = `account_label required: ${settings.vendor.name} does not tell an e-mail; complete again with a name for the account`;
      throw new GatewayError("OAUTH_LABEL", 400, message);
    }
    const same = session.account_label === before.account_label && session.network_proxy === before.network_proxy;
    if (same && "account" in outcome) return outcome;
    return { account: await this.#save(settings, session), models: outcome.models };
  }

  async #save(settings: OauthSettings, session: Session): Promise<Account> {
    const { account, added } = await this.#options.accounts.add(settings, session);
    if (added) await this.#options.listed(settings, account);
    return account;
  }
}
