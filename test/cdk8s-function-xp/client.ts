import {
  FunctionRunnerServiceService,
  RunFunctionRequest,
  type RunFunctionResponse,
} from '@crossplane-org/function-sdk-typescript';
import { Client, credentials } from '@grpc/grpc-js';
import type { KubernetesObject, Observed, Required } from '../../functions/cdk8s-function-xp/composition.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import type { Certificates, Pair } from './certificates.ts';

const { path, requestSerialize, responseDeserialize } = FunctionRunnerServiceService.runFunction;
const MESSAGE_BYTES = 16 * 1024 * 1024;

interface ClientOptions {
  /** HOST:PORT. */
  address: string;
  /** The CA of the server, and optionally a client certificate. Plain text without any. */
  certificates?: Pick<Certificates, 'authority'> & { client?: Pair };
  /** Milliseconds that a call may take. */
  deadline?: number;
}

/** A call in flight. */
export interface UnfinishedCall {
  send(request: RunFunctionRequest): void;
  /** Rejects with gRPC's error. */
  response: Promise<RunFunctionResponse>;
}

/** A client of a function, as Crossplane is. */
export interface FunctionClient {
  /** One RunFunction call. Rejects with gRPC's error. */
  run(request: RunFunctionRequest): Promise<RunFunctionResponse>;
  /** Like `run`, but returns the bytes on the wire. */
  bytes(request: RunFunctionRequest): Promise<Buffer>;
  /** Begins a call and sends no request yet. */
  begin(): UnfinishedCall;
  close(): void;
}

/** A client of the function at `address`. */
export function makeClient({ address, certificates, deadline = waitTimeoutMs }: ClientOptions): FunctionClient {
  const client = new Client(address, channelCredentials(certificates), {
    'grpc.max_receive_message_length': MESSAGE_BYTES,
    'grpc.max_send_message_length': MESSAGE_BYTES,
    // Otherwise channels of one process share a connection, which is authenticated by the certificate of the first.
    'grpc.use_local_subchannel_pool': 1,
  });
  const bytes = (request: RunFunctionRequest) =>
    new Promise<Buffer>((resolve, reject) => {
      const options = { deadline: Date.now() + deadline };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        (buffer) => buffer,
        request,
        options,
        (error, response) => (error ? reject(error) : resolve(response!)),
      );
    });
  return {
    bytes,
    run: async (request) => responseDeserialize(await bytes(request)),
    begin() {
      const { promise, resolve, reject } = Promise.withResolvers<RunFunctionResponse>();
      const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error, response) =>
        error ? reject(error) : resolve(response!),
      );
      return { send: (request) => call.end(request), response: promise };
    },
    close: () => client.close(),
  };
}

// Node refuses Crossplane's server certificates for the same reason as those of the client. It must not check them: otherwise a
// test that expects the server to refuse a client would pass because the client refused the server.
function channelCredentials(certificates: ClientOptions['certificates']) {
  if (certificates === undefined) return credentials.createInsecure();
  const { authority, client } = certificates;
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(pem(authority.cert), pem(client?.key), pem(client?.cert), { rejectUnauthorized: false });
}

/** A request as Crossplane sends it for `composite`, with the composed objects that exist and the required ones, by key. */
export function requestFor(
  composite: KubernetesObject,
  observed: Observed = {},
  required: Required = {},
): RunFunctionRequest {
  const resources = Object.entries(observed).map(([key, resource]) => [key, { resource }]);
  const fetched = Object.entries(required).map(([key, objects]) => [
    key,
    { items: objects.map((resource) => ({ resource })) },
  ]);
  return RunFunctionRequest.fromPartial({
    meta: { tag: 'test' },
    observed: { composite: { resource: composite }, resources: Object.fromEntries(resources) },
    requiredResources: Object.fromEntries(fetched),
  });
}
