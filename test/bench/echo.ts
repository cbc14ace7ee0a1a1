/** A gRPC server over TLS that echoes the request: the lower bound of any function. Takes the function's arguments. */
import { FunctionRunnerServiceService } from '@crossplane-org/function-sdk-typescript';
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { readArguments } from '../../functions/cdk8s-function-xp/arguments.ts';
import { readCertificates } from '../../functions/cdk8s-function-xp/certificates.ts';

const bytes = (buffer: Buffer) => buffer;
const runFunction = {
  ...FunctionRunnerServiceService.runFunction,
  requestDeserialize: bytes,
  responseSerialize: bytes,
} as unknown as ServiceDefinition[string];

const echo: handleUnaryCall<Buffer, Buffer> = (call, callback) => callback(null, call.request);

const { cert, key } = readCertificates(readArguments(process.argv.slice(2), {}).certificates!);
const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
const server = new Server();
server.addService({ runFunction }, { runFunction: echo });
server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, port) => {
  if (error) throw error;
  console.log(JSON.stringify({ msg: 'listening', address: `127.0.0.1:${port}` }));
});
process.once('SIGTERM', () => process.exit(0));
