import { expect, test } from 'vitest';
import { waitForIdleCrossplane } from './cluster/crossplane.ts';
import { apply, get, patch, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { scenario } from './scenario.ts';

const zone = 'edits.internal';

/** Runs alone: an edit in the middle of a reconcile gets the Ready of the previous state (see `waitForQuiescence`). */
scenario('edits', ({ internalDNS }) => {
  const edit = async (spec: object) => {
    await waitForQuiescence('edits');
    await waitForIdleCrossplane();
    await patch('internaldns', 'edits', { spec });
    await waitForReady('edits');
  };

  test('kubectl wait after an edit does not return before the edit is served', async () => {
    await apply(internalDNS('edits', { zones: [{ name: zone }] }));
    await waitForReady('edits');
    const client = await clientOf('edits');
    await edit({ zones: [{ name: zone }, { name: 'second.edits' }] });
    expect(await client.answer('second.edits', 'NS')).toBe('ns1.second.edits');
    await edit({ zones: [{ name: zone }], podLabels: { edited: 'yes' } });
    expect((await get('pod', 'idns-edits-0', 'internal-dns')).metadata.labels?.edited).toBe('yes');
    expect(await client.answer('second.edits', 'NS')).toBe('REFUSED');
  });
});
