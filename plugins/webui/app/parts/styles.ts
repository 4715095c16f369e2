/** The sheet that all elements share: controls, cards, tables, badges. Colours come from theme.css. */
import { css } from "lit";

export const base = css`
  :host { display: block; box-sizing: border-box; }
  :host([hidden]), [hidden] { display: none !important; }
  *, *::before, *::after { box-sizing: inherit; }
  h1 { font-size: 1.35rem; line-height: 1.25; margin: 0; font-weight: 650; }
  h2 { font-size: 1.05rem; margin: 0 0 0.5rem; font-weight: 650; }
  h3 { font-size: 0.95rem; margin: 0 0 0.25rem; font-weight: 650; }
  p { margin: 0 0 0.75rem; }
  a { color: var(--accent); }
  code, pre, kbd { font-family: var(--mono); font-size: 0.9em; }
  code { overflow-wrap: anywhere; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

  button, .button {
    display: inline-flex; align-items: center; justify-content: center; gap: 0.4rem; min-height: 2.25rem; padding: 0.25rem 0.8rem;
    border: 1px solid var(--border); border-radius: var(--radius-s); background: var(--surface); color: var(--text);
    font: inherit; font-size: 0.93rem; cursor: pointer; text-decoration: none; white-space: nowrap;
  }
  button:hover, .button:hover { background: var(--surface-2); }
  button:disabled { opacity: 0.55; cursor: not-allowed; }
  button.primary, .button.primary { background: var(--accent-bg); border-color: var(--accent-bg); color: var(--on-accent); }
  button.primary:hover { filter: brightness(1.1); }
  button.danger { color: var(--bad); border-color: var(--bad); }
  button.plain { border-color: transparent; background: transparent; }
  button.plain:hover { background: var(--surface-2); }
  button.icon { padding: 0; width: 2.25rem; }
  button.small, .button.small { min-height: 1.8rem; padding: 0.1rem 0.55rem; font-size: 0.85rem; }
  button.small.icon { width: 1.8rem; padding: 0; }

  input:not([type="checkbox"], [type="radio"], [type="range"]), select, textarea {
    width: 100%; min-height: 2.25rem; padding: 0.35rem 0.6rem; border: 1px solid var(--border-strong); border-radius: var(--radius-s);
    background: var(--surface); color: var(--text); font: inherit; font-size: 0.95rem;
  }
  input[type="checkbox"], input[type="radio"] { width: 1.1rem; height: 1.1rem; accent-color: var(--accent-bg); margin: 0; flex: none; }
  input:focus-visible, select:focus-visible, textarea:focus-visible { outline-offset: 0; border-color: var(--accent); }
  ::placeholder { color: var(--text-2); opacity: 1; }
  label { font-size: 0.9rem; font-weight: 550; }
  .field { display: flex; flex-direction: column; gap: 0.25rem; margin-bottom: 0.9rem; }
  .field > .hint, .hint { color: var(--text-2); font-size: 0.85rem; font-weight: 400; }
  .field > .error, .error { color: var(--bad); font-size: 0.88rem; overflow-wrap: anywhere; }
  .check { display: flex; align-items: center; gap: 0.5rem; }

  .card { background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius); padding: 1rem; min-width: 0; }
  .row { display: flex; align-items: center; gap: 0.6rem; flex-wrap: wrap; }
  .row.tight { gap: 0.35rem; }
  .spread { display: flex; align-items: center; justify-content: space-between; gap: 0.75rem; flex-wrap: wrap; }
  .grid { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); }
  .stack { display: flex; flex-direction: column; gap: 0.9rem; }
  .stack > p, .notice > p:last-child { margin: 0; }
  .grow { flex: 1; min-width: 0; }
  .muted { color: var(--text-2); }
  .small { font-size: 0.86rem; }
  .mono { font-family: var(--mono); font-size: 0.88em; }
  .clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .wrap { overflow-wrap: anywhere; }
  .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

  .badge {
    display: inline-flex; align-items: center; gap: 0.3rem; padding: 0.05rem 0.5rem; border-radius: 99px; font-size: 0.78rem; font-weight: 600;
    background: var(--surface-3); color: var(--text); white-space: nowrap;
  }
  .badge.ok { background: var(--ok-soft); color: var(--ok); }
  .badge.warn { background: var(--warn-soft); color: var(--warn); }
  .badge.bad { background: var(--bad-soft); color: var(--bad); }
  .badge.info { background: var(--info-soft); color: var(--info); }

  .notice { padding: 0.7rem 0.9rem; border-radius: var(--radius-s); background: var(--info-soft); color: var(--text); overflow-wrap: anywhere; }
  .notice.ok { background: var(--ok-soft); }
  .notice.warn { background: var(--warn-soft); }
  .notice.bad { background: var(--bad-soft); }

  .scroll { overflow: auto; }
  table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
  th { text-align: start; font-weight: 600; color: var(--text-2); font-size: 0.83rem; white-space: nowrap; }
  th, td { padding: 0.45rem 0.6rem; border-bottom: 1px solid var(--border); vertical-align: top; }
  td.number, th.number { text-align: end; font-variant-numeric: tabular-nums; }

  /* The slot inside of it hands nothing on. */
  details > * { box-sizing: border-box; }
  details > summary { cursor: pointer; }
  .page { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1.25rem 3rem; }
  .page > header { display: flex; align-items: center; justify-content: space-between; gap: 0.75rem; flex-wrap: wrap; margin-bottom: 1rem; }
  @media (max-width: 640px) { .page { padding: 0.9rem 0.8rem 3rem; } }
  @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
`;
