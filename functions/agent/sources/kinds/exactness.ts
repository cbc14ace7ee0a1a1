import { isIPv4 } from 'node:net';
import { hostLabel } from '../../../contract/host-rules.ts';
import type { SourceObject } from '../source-object.ts';
import type { Annotations } from './annotation.ts';

/** Marks source objects of which ExternalDNS may read something else. What a filter drops is only reported. */
export const withExactness = (sourceObjects: readonly SourceObject[], isExact: boolean): SourceObject[] =>
  sourceObjects.map((each) => (isExact || each.filteredBy !== undefined ? each : { ...each, isInexact: true }));

/** Reports whether Go and JavaScript agree on the blanks and on the case of letters in a text. */
export const isPlain = (text: string | undefined): boolean => text === undefined || /^[\t\n\r\x20-\x7e]*$/.test(text);

/**
 * Reports whether annotations are read in one way. ExternalDNS does not merge the endpoints of an object that has a
 * set-identifier with those of other objects.
 */
export const arePlain = (annotations: Annotations, names: readonly string[]): boolean =>
  !annotations('set-identifier') && names.every((name) => isPlain(annotations(name)));

/**
 * Reports whether ExternalDNS compares a host of a route as it is written. It drops others, and does not match them with
 * a listener when they end in a dot.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/gateway.go (gwHost)
 */
export const isRouteHost = (host: string): boolean => host === '' || (routeHost.test(host) && !isIPv4(host));

const routeHost = new RegExp(`^([*][.])?${hostLabel}([.]${hostLabel})*$`, 'i');
