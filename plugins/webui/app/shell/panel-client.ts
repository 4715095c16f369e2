/** What the panel of a plugin is handed as its property `chela`: the contract of the SDK, made of what the WebUI itself works with. */
import type { PanelClient } from "@chela/sdk/panel";
import { gateway } from "../client/gateway.ts";
import { call, get, post, request } from "../client/http.ts";
import { LiveSocket } from "../client/live-socket.ts";
import type { PanelFacts } from "../client/panels.ts";
import { router } from "../client/router.ts";
import { session } from "../client/session.ts";
import { languages } from "../i18n/locale.ts";
import { confirm } from "../parts/confirm.ts";
import { base } from "../parts/styles.ts";
import { toast } from "../parts/toast.ts";
import { isDark } from "./theme.ts";

export function panelClient({ id, owner }: PanelFacts): PanelClient {
  return {
    id,
    plugin: owner,
    request,
    get,
    post,
    call,
    stream: (path, handlers) => {
      const socket = new LiveSocket(() => path, handlers);
      socket.open();
      return socket;
    },
    on: (types, tell) => gateway.on(types, tell),
    onBack: (again) => listen(gateway, "back", again),
    get locale() {
      return languages.locale;
    },
    onLocale: (changed) => listen(languages, "change", changed),
    text: (texts) => texts[languages.locale] ?? texts.en ?? "",
    get theme() {
      return isDark() ? "dark" : "light";
    },
    onTheme,
    styles: base.styleSheet as CSSStyleSheet,
    can: (access) => session.can(access),
    go: (address) => router.go(address),
    toast,
    confirm,
  };
}

/** By hand, or because the system changed. */
function onTheme(changed: () => void): () => void {
  const undo = [
    listen(document, "themechange", changed),
    listen(matchMedia("(prefers-color-scheme: dark)"), "change", changed),
  ];
  return () => {
    for (const each of undo) each();
  };
}

function listen(target: EventTarget, type: string, listener: () => void): () => void {
  const tell = () => listener();
  target.addEventListener(type, tell);
  return () => target.removeEventListener(type, tell);
}
