import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { Agent } from './agent.ts';
import type { PowerDNS } from './powerdns.ts';

/** For kubelet, monitoring and people. Being alive depends on nothing else. */
export function http(agent: Agent, powerdns: PowerDNS, metrics: Registry): Server {
  return createServer(async (request, response) => {
    if (request.method !== 'GET') return void response.writeHead(405).end();
    switch (request.url) {
      case '/healthz':
        return void response.end('ok\n');
      case '/readyz':
        return void response.writeHead(agent.isReady ? 200 : 503).end(`${JSON.stringify(agent.report() ?? {})}\n`);
      case '/metrics': {
        // PowerDNS listens on the loopback address only: its metrics are passed on.
        const passedOn = powerdns.metrics().catch(() => '# PowerDNS does not answer\n');
        response.setHeader('Content-Type', metrics.contentType);
        return void response.end(`${await metrics.metrics()}\n${await passedOn}`);
      }
      default:
        return void response.writeHead(404).end();
    }
  });
}
