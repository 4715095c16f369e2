/** A button that is on or off. */
import { css } from "lit";

export const switchStyles = css`
  .switch { position: relative; width: 2.6rem; min-height: 1.5rem; height: 1.5rem; padding: 0; border-radius: 99px; border: 1px solid var(--border-strong); background: var(--surface-3); flex: none; }
  .switch::after { content: ""; position: absolute; top: 2px; inset-inline-start: 2px; width: calc(1.5rem - 6px); height: calc(1.5rem - 6px); border-radius: 50%; background: var(--border-strong); transition: inset-inline-start 0.12s; }
  .switch[aria-checked="true"] { background: var(--accent-bg); border-color: var(--accent-bg); }
  .switch[aria-checked="true"]::after { inset-inline-start: calc(2.6rem - 1.5rem + 2px); background: var(--on-accent); }
`;
