import type { Guide } from '../../../connect/guide.ts';
import { hostAndPort } from '../../../connect/program.ts';
import type { WayIn } from '../../../contract/ways-in.ts';
import { type Html, html } from './html.ts';
import { waysInState } from './state.ts';

/** Where clients reach the server, and what is missing there. */
export function wayList({ ways, notes }: Pick<Guide, 'ways' | 'notes'>): Html {
  if (ways.length === 0) return html`<p>Not known yet</p>`;
  const missing = notes.map(
    (note) => html`<li class="with-message">${waysInState('Incomplete')}: <bdi>${note}</bdi></li>
`,
  );
  return html`<ul class="zones" role="list">
${ways.map(wayItem)}${missing}</ul>`;
}

const wayItem = ({ service, type, servers, hostname }: WayIn): Html => {
  const addresses = servers.map(hostAndPort).join(' ') || hostname || 'no address yet';
  return html`<li><bdi class="mono">${service}</bdi> ${type}: <bdi class="mono">${addresses}</bdi></li>
`;
};
