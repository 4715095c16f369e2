/** How a text looks. */
import { css } from "lit";

export const markdownStyles = css`
  :host { overflow-wrap: anywhere; min-width: 0; }
  .leaf { content-visibility: auto; contain-intrinsic-size: auto 24rem; }
  .leaf:first-child > :first-child > :first-child { margin-top: 0; }
  .leaf:last-child > :last-child > :last-child, .leaf:last-child > ui-code:last-child { margin-bottom: 0; }
  p { margin: 0 0 0.7rem; }
  .on > p { margin: 0; }
  h3, h4, h5, h6 { margin: 1.1rem 0 0.45rem; font-weight: 650; line-height: 1.3; }
  h3 { font-size: 1.15rem; } h4 { font-size: 1.05rem; } h5, h6 { font-size: 0.97rem; }
  ul, ol { margin: 0 0 0.7rem; padding-inline-start: 1.5rem; }
  li { margin: 0.15rem 0; }
  li > p { margin-bottom: 0.35rem; }
  blockquote { margin: 0 0 0.7rem; padding: 0.1rem 0.9rem; border-inline-start: 3px solid var(--border-strong); color: var(--text-2); }
  blockquote > :last-child, li > :last-child { margin-bottom: 0; }
  :not(pre) > code { background: var(--surface-2); border: 1px solid var(--border); border-radius: 4px; padding: 0.05em 0.3em; }
  kbd { background: var(--surface-2); border: 1px solid var(--border-strong); border-radius: 4px; padding: 0 0.3em; }
  mark { background: var(--warn-soft); color: var(--text); }
  hr { border: 0; border-top: 1px solid var(--border); margin: 1rem 0; }
  img { max-width: 100%; height: auto; border-radius: var(--radius-s); }
  .scroll { margin: 0 0 0.7rem; border: 1px solid var(--border); border-radius: var(--radius-s); }
  table { width: auto; min-width: 100%; }
  tr:last-child > td { border-bottom: 0; }
  details { margin: 0 0 0.7rem; }
`;
