import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** Plain HTTP for the kubelet, whose gRPC probes speak no TLS, and for Prometheus. Answers as long as the process does. */
export function healthServer(registry: Registry): Server {
  return createServer(async (request, response) => {
    if (request.url === '/healthz') return response.end('ok\n');
    if (request.url === '/metrics') {
      return response.setHeader('Content-Type', registry.contentType).end(await registry.metrics());
    }
    return response.writeHead(404).end();
  });
}
