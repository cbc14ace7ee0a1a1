import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventOf } from '../../../functions/agent/events/event.ts';
import { type NameState, type Verdict, verdicts } from '../../../functions/contract/verdict.ts';

describe('an event', () => {
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'web', uid: '1' };
  const props = { object, instance: 'corp', reporter: 'idns-corp-0', since: Date.parse('2026-01-31T12:00:00.123Z') };

  const state: NameState = {
    name: 'www.corp.internal',
    resource: 'ingress/shop/web',
    verdict: 'Held',
    message: 'one',
    answers: [],
  };

  test('has every field that Kubernetes requires', () => {
    const { metadata, ...event } = eventOf({
      ...props,
      state: { ...state, verdict: 'Resolved', message: 'resolves to 192.0.2.7' },
    });
    expect(metadata).toEqual({ name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: 'shop' });
    expect(JSON.parse(JSON.stringify(event))).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: object,
      type: 'Normal',
      reason: 'Resolved',
      message: 'www.corp.internal resolves to 192.0.2.7 (InternalDNS corp)',
      action: 'Resolving',
      eventTime: '2026-01-31T12:00:00.123000Z',
      firstTimestamp: '2026-01-31T12:00:00.123Z',
      lastTimestamp: '2026-01-31T12:00:00.123Z',
      count: 1,
      source: { component: 'internal-dns' },
      reportingComponent: 'internal-dns',
      reportingInstance: 'idns-corp-0',
    });
  });

  test.each<[type: string, verdicts: Verdict[]]>([
    ['Normal', ['Resolved', 'Filtered', 'OutsideZones']],
    ['Warning', ['NoAddress', 'Duplicate', 'DeclaredElsewhere', 'ForeignRecord', 'Held', 'Refused']],
  ])('is of type %s for %j', (type, some) => {
    for (const verdict of some) {
      expect(eventOf({ ...props, state: { ...state, verdict } })).toMatchObject({ type, reason: verdict });
    }
  });

  test('on an object without a namespace is in the default namespace', () => {
    const { namespace: _, ...node } = { ...object, kind: 'Node' };
    const event = eventOf({ ...props, object: node, state });
    expect([event.metadata.namespace, event.involvedObject.namespace]).toEqual(['default', undefined]);
  });

  test.each<[what: string, other: Partial<Parameters<typeof eventOf>[0]>, isSame: boolean]>([
    ['the same one from another pod, later', { reporter: 'idns-corp-1', since: props.since + 60_000 }, true],
    ['one on another object', { object: { ...object, uid: '2' } }, false],
    ['one from another InternalDNS', { instance: 'home' }, false],
    ['one on another host', { state: { ...state, name: 'api.corp.internal' } }, false],
    ['one with another verdict', { state: { ...state, verdict: 'Refused' } }, false],
    ['one with another message', { state: { ...state, message: 'two' } }, false],
    ['one with another dedupe key', { dedupeKey: 1 }, false],
  ])('and %s have the same name: %j -> %j', (_, other, isSame) => {
    const first = { ...props, state };
    const [one, two] = [eventOf(first), eventOf({ ...first, ...other })];
    expect(one.metadata.name === two.metadata.name).toBe(isSame);
  });

  const longest = 1024 - ' (InternalDNS corp)'.length;
  test.each([
    ['as long as allowed', 'x'.repeat(longest - 6), 1024, /: x+ \(/],
    ['a byte longer', 'x'.repeat(longest - 5), 1024, /: x+… \(/],
    ['of two bytes per character', `x${'ü'.repeat(2000)}`, 1023, /: xü+… \(/],
    ['of surrogate pairs', `x${'😀'.repeat(2000)}`, 1021, /: x(😀)+… \(/u],
  ])('has a message within the limit of Kubernetes: %s', (_, message, bytes, form) => {
    const event = eventOf({ ...props, state: { ...state, name: 'h.in', message } });
    expect(Buffer.byteLength(event.message ?? '')).toBe(bytes);
    expect(event.message).toMatch(form);
  });

  test.each([
    ['web', 'web'],
    ['a'.repeat(236), 'a'.repeat(236)],
    ['a'.repeat(253), 'a'.repeat(236)],
    [`${'a'.repeat(234)}.-${'b'.repeat(10)}`, 'a'.repeat(234)],
  ])('has a name that begins with that of its object, within the limit: %s', (name, prefix) => {
    const event = eventOf({ ...props, object: { ...object, name }, state });
    expect(event.metadata.name?.slice(0, -17)).toBe(prefix);
  });

  test('is valid for any object, host and message', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000 });
    const names = fc.string({ unit: fc.constantFrom(...'ab0-.'), minLength: 1, maxLength: 253 });
    fc.assert(
      fc.property(names, text, text, fc.constantFrom(...verdicts), (name, host, message, verdict) => {
        const event = eventOf({
          ...props,
          object: { ...object, name },
          state: { ...state, name: host, verdict, message },
        });
        expect(Buffer.byteLength(event.message ?? '')).toBeLessThanOrEqual(1024);
        expect(event.message).toMatch(/ \(InternalDNS corp\)$/);
        expect(event.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        // A path segment that a file could have: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
        expect(event.metadata.name).toMatch(/^[a-z0-9.-]*\.[0-9a-f]{16}$/);
        expect(event.metadata.name?.length).toBeLessThanOrEqual(253);
      }),
      { numRuns: 300 },
    );
  });
});
