import { createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import {
  FunctionRunnerServiceService,
  type RunFunctionRequest,
  type RunFunctionResponse,
} from '@crossplane-org/function-sdk-typescript';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, listen } from './address.ts';
import { secureListener } from './listener.ts';
import type { Telemetry } from './telemetry.ts';

// gRPC's default of 4 MiB is less than what a composite with many objects comes to.
const MESSAGE_BYTES = 16 * 1024 * 1024;

interface ServerOptions {
  address: Address;
  /** The directory of the certificates; without one the server speaks plain text to anybody. */
  certificates?: string | undefined;
  handle: (request: RunFunctionRequest) => RunFunctionResponse;
  telemetry: Telemetry;
}

/** A server that listens. */
export interface RunningServer {
  address: Address;
  /** Takes no more calls, lets those under way finish, and cuts off what is left after `deadline` milliseconds. */
  close(deadline: number): Promise<void>;
}

/** Serves `handle` over gRPC. Rejects when it cannot read the certificates or bind the address. */
export async function startServer({ address, certificates, handle, telemetry }: ServerOptions): Promise<RunningServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES,
    'grpc.max_send_message_length': MESSAGE_BYTES,
  });
  const runFunction: handleUnaryCall<RunFunctionRequest, RunFunctionResponse> = (call, callback) =>
    callback(null, handle(call.request));
  server.addService(FunctionRunnerServiceService, { runFunction });

  // The listener in front decides who comes in; what gets here is trusted.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const accept = (socket: Socket) => {
    // A handshake that ended after close() had begun would miss the drain.
    if (listener.listening) injector.injectConnection(socket);
    else socket.destroy();
  };
  const listener = certificates === undefined ? createServer(accept) : secureListener(certificates, accept, telemetry);
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const bound = await listen(listener, address);
  return {
    address: bound,
    async close(deadline) {
      // Not tryShutdown: since https://github.com/nodejs/node/pull/57586 closing an HTTP/2 server marks its sessions as closed,
      // and grpc-js 1.14 takes that for over, calls under way or not.
      const drained = new Promise<void>((resolve) => listener.close(() => resolve()));
      injector.drain(deadline);
      await Promise.race([drained, setTimeout(deadline, undefined, { ref: false })]);
      for (const socket of sockets) socket.destroy();
    },
  };
}
