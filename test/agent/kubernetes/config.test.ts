import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inClusterConfig, loadConfig, loadKubeconfig } from '../../../functions/agent/kubernetes/config.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (text: string, name = 'config') => {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** As `kubectl config` writes it. */
const kubeconfig = (cluster: string, user: string) => `apiVersion: v1
kind: Config
preferences: {}
current-context: here
contexts:
- name: here
  context: {cluster: lab, user: admin, namespace: dns}
clusters:
- name: other
  cluster: {server: https://other.internal}
- name: lab
  cluster:
    server: https://127.0.0.1:6443/
${cluster.replace(/^/gm, '    ')}
users:
- name: admin
  user:
${user.replace(/^/gm, '    ')}
`;

describe('in a pod', () => {
  test.each([
    ['10.96.0.1', 'https://10.96.0.1:443'],
    ['2001:db8::1', 'https://[2001:db8::1]:443'],
    ['kubernetes.default', 'https://kubernetes.default:443'],
  ])('the API server is at %s', (host, server) => {
    const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '443' };
    writeFileSync(join(dir, 'namespace'), 'dns\n');
    expect(inClusterConfig(env, dir)).toEqual({
      server,
      namespace: 'dns',
      token: { file: join(dir, 'token') },
      ca: { file: join(dir, 'ca.crt') },
    });
  });

  test('no file is needed before the first request', async () => {
    const { server } = await loadConfig({ KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '6443' });
    expect(server).toBe('https://[::1]:6443');
  });
});

describe('a kubeconfig', () => {
  test('with data of an authority and a client certificate', async () => {
    const user = `client-certificate-data: ${base64('cert')}\nclient-key-data: ${base64('key')}`;
    const file = write(kubeconfig(`certificate-authority-data: ${base64('ca')}`, user));
    expect(await loadConfig({ KUBECONFIG: file })).toEqual({
      server: 'https://127.0.0.1:6443',
      namespace: 'dns',
      ca: 'ca',
      cert: 'cert',
      key: 'key',
    });
  });

  test('with files, relative to itself', async () => {
    const user = 'client-certificate: pki/admin.crt\nclient-key: /pki/admin.key\ntokenFile: token';
    const file = write(kubeconfig('certificate-authority: ../ca.crt\ntls-server-name: lab', user));
    expect(await loadKubeconfig(file)).toMatchObject({
      ca: { file: join(dir, '../ca.crt') },
      cert: { file: join(dir, 'pki/admin.crt') },
      key: { file: '/pki/admin.key' },
      token: { file: join(dir, 'token') },
      serverName: 'lab',
    });
  });

  test('in JSON, with a token and without verification', async () => {
    const file = write(
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1', 'insecure-skip-tls-verify': true } }],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        users: [{ name: 'u', user: { token: 't' } }],
        'current-context': 'c',
      }),
    );
    expect(await loadKubeconfig(file)).toMatchObject({ server: 'https://10.0.0.1', token: 't', isInsecure: true });
  });

  test('of several files: the first with a value wins', async () => {
    const first = write('current-context: here\nclusters: null\nusers: [{name: admin, user: {token: mine}}]', 'first');
    mkdirSync(join(dir, 'more'));
    const second = write(kubeconfig('certificate-authority: ca.crt', 'token: theirs'), 'more/second');
    expect(await loadConfig({ KUBECONFIG: [first, second].join(delimiter) })).toMatchObject({
      server: 'https://127.0.0.1:6443',
      token: 'mine',
      ca: { file: join(dir, 'more/ca.crt') },
    });
  });

  test.each([
    ['exec: {command: aws}', 'exec of user admin is not supported: use token, tokenFile, or client-certificate and'],
    ['auth-provider: {name: gcp}', 'auth-provider of user admin is not supported'],
    ['username: a\npassword: secret', 'username of user admin is not supported'],
    ['token: t\nas: root', 'as of user admin is not supported'],
  ])('with %s is refused, and what to use instead is named', async (user, message) => {
    const file = write(kubeconfig('certificate-authority: ca.crt', user));
    const error = await loadKubeconfig(file).catch((error) => error);
    expect(error.message).toContain(`cannot use kubeconfig ${file}: ${message}`);
    expect(error.message).not.toContain('secret');
  });

  test.each([
    ['proxy-url: http://proxy', 'token: t', 'proxy-url is not supported'],
    ['insecure-skip-tls-verify: maybe', 'token: t', 'clusters.1.cluster.insecure-skip-tls-verify: '],
    ['tls-server-name: a\n  : {', 'token: secret', 'text: Invalid input'],
  ])('with %s is refused', async (cluster, user, message) => {
    const error = await loadKubeconfig(write(kubeconfig(cluster, user))).catch((error) => error);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('secret');
  });

  test('that lacks something is refused, and what it is named', async () => {
    await expect(loadKubeconfig(join(dir, 'none'))).rejects.toThrow('ENOENT');
    await expect(loadKubeconfig(write('{}'))).rejects.toThrow('no current-context: kubectl config use-context');
    await expect(loadKubeconfig(write('current-context: a'))).rejects.toThrow('no context a');
  });
});

test('neither a kubeconfig nor a pod: what to set is named', async () => {
  await expect(loadConfig({ HOME: dir })).rejects.toThrow('set KUBECONFIG');
  mkdirSync(join(dir, '.kube'));
  write(kubeconfig('certificate-authority: ca.crt', 'token: t'), '.kube/config');
  expect(await loadConfig({ HOME: dir })).toMatchObject({ token: 't' });
});
