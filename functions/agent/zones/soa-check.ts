import { Resolver } from 'node:dns/promises';

/** Reports whether a zone's SOA is answered over DNS. @param server HOST:PORT */
export function soaCheck(server: string): (zone: string) => Promise<boolean> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([server]);
  return (zone) =>
    resolver.resolveSoa(zone).then(
      () => true,
      () => false,
    );
}
