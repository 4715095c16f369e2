/** What the fields of the form look like. */
import { css } from "lit";

export const formStyles = css`
  .field { margin-bottom: 1.1rem; }
  .field .field { margin-bottom: 0.4rem; }
  .head { display: flex; align-items: center; gap: 0.4rem; flex-wrap: wrap; min-height: 1.8rem; }
  .head label, .name { font-weight: 600; overflow-wrap: anywhere; }
  .name { font-size: 0.93rem; }
  .hint { overflow-wrap: anywhere; }
  input.short:not([type="checkbox"]), select.short { max-width: 22rem; }
  textarea { resize: vertical; }
  .with { display: flex; gap: 0.4rem; flex-wrap: wrap; }
  .with input { flex: 1 1 12rem; width: auto; }
  .group { border: 1px solid var(--border); border-radius: var(--radius-s); margin-bottom: 0.9rem; background: var(--surface); }
  .group > summary { display: flex; align-items: center; gap: 0.3rem 0.5rem; flex-wrap: wrap; padding: 0.5rem 0.8rem; min-height: 2.4rem; list-style: none; }
  .group > summary::before { content: ""; width: 0.45rem; height: 0.45rem; border: solid var(--text-2); border-width: 0 2px 2px 0; transform: rotate(-45deg); flex: none; }
  .group[open] > summary::before { transform: rotate(45deg); }
  .group > summary::-webkit-details-marker { display: none; }
  .group > summary .hint { flex-basis: 100%; }
  .group > .body { padding: 0.3rem 0.9rem 0.2rem; border-top: 1px solid var(--border); }
  .items { list-style: none; margin: 0 0 0.4rem; padding: 0; display: flex; flex-direction: column; gap: 0.35rem; }
  .items > li, .free { display: flex; gap: 0.15rem; align-items: flex-start; }
  .items .group, .free .group { margin-bottom: 0.2rem; }
  .items > li > button, .free > button { margin-top: 0.25rem; }
  .shape { border-inline-start: 3px solid var(--border); padding-inline-start: 0.8rem; margin-bottom: 0.9rem; }
`;
