/** How much of something is used: a label, the figures, and a bar that turns its colour when little is left. */
import { css, html, type TemplateResult } from "lit";
import { styled } from "./styled.ts";

export interface Level {
  readonly label: string;
  /** In words: `3 of 10`. */
  readonly value: string;
  /** From 0 to 1. */
  readonly part: number;
}

/** Belong to whoever shows a meter. */
export const meterStyles = css`
  .meter .track { height: 0.5rem; border-radius: 99px; background: var(--surface-3); overflow: hidden; margin-top: 0.25rem; }
  .meter .track > div { height: 100%; border-radius: 99px; background: var(--ok); }
  .meter .track > .warn { background: var(--warn); }
  .meter .track > .bad { background: var(--bad); }
`;

export function meter({ label, value, part }: Level): TemplateResult {
  const full = Math.min(Math.max(part, 0), 1);
  const kind = full >= 0.95 ? "bad" : full >= 0.8 ? "warn" : "ok";
  return html`<div class="meter small">
    <div class="spread"><span class="wrap">${label}</span><strong>${value}</strong></div>
    <div class="track"><div class=${kind} ${styled({ width: `${full * 100}%` })}></div></div>
  </div>`;
}
