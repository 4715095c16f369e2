/** How the list of sessions looks. */
import { css } from "lit";

export const sessionsStyles = css`
  :host { display: flex; flex-direction: column; min-height: 0; height: 100%; background: var(--surface); }
  .head { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; padding: 0.7rem 0.8rem 0.5rem; }
  .head h2 { margin: 0; }
  .search { padding: 0 0.8rem 0.5rem; }
  .rows { flex: 1; min-height: 0; overflow: auto; padding: 0 0.4rem 1rem; }
  .pad { padding: 0.5rem; }
  ul { list-style: none; margin: 0; padding: 0; position: relative; }
  li { display: flex; align-items: center; border-radius: var(--radius-s); }
  nav > ul > li { position: absolute; inset-inline: 0; height: 56px; }
  li:hover { background: var(--surface-2); }
  li:has(a[aria-current]) { background: var(--accent-soft); }
  a { flex: 1; min-width: 0; display: flex; flex-direction: column; gap: 0.1rem; padding: 0.35rem 0.3rem 0.35rem 0.6rem; color: inherit; text-decoration: none; border-radius: var(--radius-s); }
  a:focus-visible { outline-offset: -2px; }
  .line { display: flex; align-items: center; gap: 0.4rem; min-width: 0; }
  .name { flex: 1; min-width: 0; font-size: 0.93rem; }
  .unread { font-weight: 700; }
  .when { flex: none; font-size: 0.78rem; }
  .dot { width: 0.55rem; height: 0.55rem; border-radius: 50%; background: var(--accent); flex: none; }
  .pulse { width: 0.45rem; height: 0.45rem; border-radius: 50%; background: currentColor; animation: pulse 1.2s infinite; }
  @keyframes pulse { 50% { opacity: 0.25; } }
  .hits { padding: 0.6rem 0.4rem; border-top: 1px solid var(--border); margin-top: 0.5rem; }
  .passage { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; overflow-wrap: anywhere; }
`;
