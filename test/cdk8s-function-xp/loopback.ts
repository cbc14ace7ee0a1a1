import { pino } from 'pino';
import { formatAddress, parseAddress } from '../../functions/cdk8s-function-xp/address.ts';
import type { Composition } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { startServer } from '../../functions/cdk8s-function-xp/server.ts';
import { createTelemetry, type Telemetry } from '../../functions/cdk8s-function-xp/telemetry.ts';

/** A function that runs in this process. */
export interface LocalFunction {
  address: string;
  /** The parsed lines of its log. */
  log: Record<string, unknown>[];
  telemetry: Telemetry;
  close(deadline?: number): Promise<void>;
}

interface LocalOptions {
  address?: string;
  /** The directory of the server's certificates. Plain text without one. */
  certificates?: string;
}

/** Serves `composition` on a free port like `serve`, but in this process. */
export async function serveLocally(
  composition: Composition,
  { address = '127.0.0.1:0', certificates }: LocalOptions = {},
): Promise<LocalFunction> {
  const log: Record<string, unknown>[] = [];
  const telemetry = createTelemetry(pino({ base: null }, { write: (line: string) => log.push(JSON.parse(line)) }));
  const server = await startServer({
    address: parseAddress(address),
    certificates,
    telemetry,
    handle(request) {
      const response = run(request, composition);
      telemetry.ran(request, response, 1);
      return response;
    },
  });
  return {
    address: formatAddress(server.address),
    log,
    telemetry,
    close: (deadline = 1_000) => server.close(deadline),
  };
}
