/** The look of lists of models. */
import { css } from "lit";

export const modelListStyles = css`
  :host { display: flex; flex-direction: column; gap: 0.9rem; align-items: stretch; }
  :host > button { align-self: start; }
  ul.models { list-style: none; margin: 0; padding: 0; border: 1px solid var(--border); border-radius: var(--radius); background: var(--surface); }
  ul.models:empty { display: none; }
  ul.models > li { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 0.8rem; padding: 0.5rem 0.8rem; border-top: 1px solid var(--border); }
  ul.models > li:first-child { border-top: 0; }
  ul.models .name { flex: 1 1 16rem; min-width: 0; }
  ul.models .told { flex-basis: 100%; }
  ul.models .told:empty { display: none; }
  .good { color: var(--ok); }
  .add { display: flex; gap: 0.6rem; align-items: end; flex-wrap: wrap; }
  .add .field { margin: 0; flex: 0 1 10rem; }
  .add .grow { flex: 1 1 14rem; }
  .up { transform: rotate(180deg); }
  h2 { margin: 0; }
`;
