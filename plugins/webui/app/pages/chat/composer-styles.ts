/** How the place looks where a message is written. */
import { css } from "lit";

export const composerStyles = css`
  :host { max-width: 50rem; width: 100%; margin: 0 auto; padding: 0 1.2rem 0.8rem; }
  form { border: 1px solid var(--border-strong); border-radius: 14px; background: var(--surface); padding: 0.35rem; }
  form:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
  form.over { border-style: dashed; border-color: var(--accent); background: var(--accent-soft); }
  textarea { display: block; border: 0 !important; background: none !important; resize: none; outline: none !important; max-height: 40vh; overflow-y: auto; padding: 0.45rem 0.6rem; line-height: 1.45; }
  .tools { display: flex; align-items: center; gap: 0.3rem; }
  .files { display: flex; flex-wrap: wrap; gap: 0.4rem; padding: 0.3rem 0.4rem; max-height: 11rem; overflow-y: auto; }
  .file { display: flex; align-items: center; gap: 0.2rem; max-width: 100%; }
  progress { width: 5rem; accent-color: var(--accent-bg); }
  select { width: auto; min-height: 1.9rem; padding: 0 0.3rem; font-size: 0.85rem; }
  .editing { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; padding: 0.2rem 0.5rem; font-size: 0.88rem; }
  @media (max-width: 640px) { :host { padding: 0 0.6rem 0.6rem; } }
`;
