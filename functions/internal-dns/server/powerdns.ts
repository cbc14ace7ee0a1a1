import { k8s } from 'cdk8s-plus-28';
import { numberOf } from '../../contract/rules.ts';
import { isDynamic } from '../../dns/answer.ts';
import { defaultTTL } from '../../dns/zone/apex.ts';
import { pinned } from '../build.ts';
import { dataVolume, paths, ports } from '../names.ts';
import type { Spec } from '../spec.ts';
import { staleReadySeconds } from './agent.ts';
import { type ContainerOptions, hardened, memoryLimitOf, type Resources, resourcesOf } from './container.ts';
import { boundsOf } from './powerdns-bounds.ts';

export const image = 'docker.io/powerdns/pdns-auth-51:5.1.5';
const defaultMemory = '256Mi';
const defaults: Resources = {
  requests: { cpu: '10m', memory: '64Mi' },
  limits: { memory: defaultMemory },
};
const database = `${paths.database}/pdns.sqlite3`;

/**
 * Threads that receive queries, each with a socket of its own. Two use two cores, and cost nothing at rest. Four take a third
 * more CPU for a query, which a container without a CPU limit, as by default, would take from its neighbours:
 * docs/measures.md#threads-of-powerdns
 */
const receivers = 2;

/**
 * Between two looks at whether the database is still the same file, where the kernel does not tell, and at whether SQLite can
 * read it. PowerDNS's own shell looks: the agent cannot see the volume, and a probe that depends on the agent would restart
 * PowerDNS with it. A probe of kubelet's costs ten times as much as the same process started from here.
 */
export const lookSeconds = { same: 3, sound: 30 };

/** Features of PowerDNS that are enabled only for instances that need them. */
export interface Features {
  /** Computed answers: LUA records. */
  dynamic: boolean;
  /** Costs every query another lookup: https://doc.powerdns.com/authoritative/settings.html#dname-processing */
  dname: boolean;
  /**
   * Clients that the resolver names by EDNS Client Subnet (RFC 7871), for answers that depend on them. Whoever can reach
   * the server can name any, so that the NetworkPolicy then admits the resolver only.
   */
  clientSubnet?: boolean;
}

/**
 * The features that the records of the spec need. Ignores placeholders: an address that is assigned later must not
 * restart the pod. Nor must anything that a team applies, so with NameClaims or Zones each feature of theirs is enabled.
 */
export function featuresOf({
  zones,
  resolver,
  discovery,
}: Pick<Spec, 'zones' | 'resolver' | 'discovery'>): Features & { clientSubnet: boolean } {
  const records = zones.flatMap((zone) => zone.records);
  const ofTeams = discovery.sources.some(({ kind }) => kind === 'NameClaim' || kind === 'Zone');
  return {
    dynamic: ofTeams || records.some(isDynamic),
    dname: records.some(({ type }) => type === 'DNAME'),
    clientSubnet:
      resolver !== undefined && (ofTeams || records.some(({ answer }) => answer === 'Sticky' || answer === 'Closest')),
  };
}

// All queries share one Lua state: one per query costs twenty times as much. A record with a check runs more
// instructions than the default limit of 1,000.
const dynamicSettings = `enable-lua-records=shared
lua-health-checks-interval=1
lua-records-exec-limit=0
`;

/**
 * The configuration and the start script of PowerDNS, with the `resources` of the spec. A change of either restarts it.
 * The API can always write LUA records, which do nothing without enable-lua-records: otherwise those that remain when
 * the last check is removed could not be deleted.
 * https://doc.powerdns.com/authoritative/settings.html#enable-lua-record-updates
 */
export const powerdnsFilesFor = ({ dynamic, dname, clientSubnet }: Features, resources?: Resources) => ({
  'pdns.conf': `launch=gsqlite3
gsqlite3-dnssec=yes
gsqlite3-database=${database}
include-dir=${paths.key}
socket-dir=${paths.socket}
local-address=0.0.0.0,::
local-port=${ports.dns}
receiver-threads=${receivers}
reuseport=yes
api=yes
webserver=yes
webserver-address=127.0.0.1
webserver-port=${ports.powerdnsAPI}
webserver-allow-from=127.0.0.1,::1
webserver-loglevel=none
webserver-max-bodysize=64
security-poll-suffix=
version-string=anonymous
disable-axfr=yes
${settings(boundsOf(memoryLimitOf(resources, defaults) ?? numberOf(defaultMemory)))}
default-ttl=${defaultTTL}
expand-alias=yes
enable-lua-record-updates=yes
${dynamic ? dynamicSettings : ''}${dname ? 'dname-processing=yes\n' : ''}${clientSubnet ? 'edns-subnet-processing=yes\n' : ''}`,
  // The key is generated at every start, so there is nothing to rotate and nothing outside the pod to steal. A database
  // that SQLite cannot read is moved aside: the agent recreates every record.
  'start.sh': `set -eu
umask 077
echo "api-key=$(head -c 24 /dev/urandom | base64)" > ${paths.key}/api.conf

# Whom to ask for what an ALIAS stands for.
while read -r keyword address _; do
  case $keyword/$address in
  nameserver/*%*) continue ;;
  nameserver/*:*) echo "resolver=[$address]" ;;
  nameserver/*) echo "resolver=$address" ;;
  *) continue ;;
  esac
  break
done < /etc/resolv.conf > ${paths.key}/resolver.conf

db=${database}
check=$(sqlite3 "$db" 'pragma quick_check(1)' 2>&1) || true
case $check in
ok) ;;
*'not a database'* | *malformed* | *'in database'*)
  echo "set $db aside: $check" >&2
  mv -f "$db" "$db.corrupt"
  rm -f "$db-wal" "$db-shm"
  ;;
*)
  echo "cannot open $db: $check" >&2
  exit 1
  ;;
esac
if [ "$(sqlite3 "$db" "select count(*) from sqlite_master where name = 'domains'")" = 0 ]; then
  sqlite3 -bail "$db" 'begin immediate;' '.read /usr/local/share/doc/pdns/schema.sqlite3.sql' 'commit;'
fi

# PowerDNS goes on with a database that was deleted, replaced or damaged, where nobody else can read or repair it. tail
# sleeps until something happens to the file, and looks itself only where the kernel does not tell, as on NFS.
exec 9< "$db"
same() { [ "$db" -ef /proc/self/fd/9 ]; }
tail -n 0 -s ${lookSeconds.same} -F "$db" 2>&1 > /dev/null | {
  while same; do read -r _ || sleep ${lookSeconds.same}; done
  echo "restart: $db was deleted or replaced" >&2
  kill $$
} &
sound() {
  sleep ${lookSeconds.sound}
  same && timeout 10 sqlite3 -readonly -cmd '.timeout 5000' "$db" 'select count(*) from domains' > /dev/null
}
{
  while sound || sound; do :; done
  echo "restart: cannot read $db" >&2
  kill $$
} &
exec 9<&-

exec /usr/local/sbin/pdns_server --config-dir=${paths.powerdns} --disable-syslog --guardian=no --daemon=no
`,
});

const settings = (values: Record<string, number>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

/** The files of an instance without optional features. */
export const powerdnsFiles = powerdnsFilesFor({ dynamic: false, dname: false });

/**
 * How long a terminating replica keeps answering while its clients move to another one. New clients do so immediately.
 * A source port that was used in the last half minute, or that a forwarder reuses, stays with it until kube-proxy
 * removes the conntrack entry. That happens when the pod is no longer ready, not when it begins to terminate; it
 * becomes unready when the agent exits. The rest is the time for the agent to exit, and for every node to learn of it.
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/proxy/conntrack/cleanup.go#L76-L86
 */
const drainSeconds = staleReadySeconds + 9;

/** PowerDNS as a native sidecar: started before everything that depends on it, and stopped last. */
export function powerdns(options: ContainerOptions & { replicas: number }): k8s.Container {
  return {
    name: 'powerdns',
    image: options.image ?? pinned(image),
    imagePullPolicy: options.pullPolicy,
    restartPolicy: 'Always',
    // As PID 1 PowerDNS would ignore SIGTERM and use up the whole grace period.
    command: ['/usr/bin/tini', '--', 'sh', `${paths.powerdns}/start.sh`],
    securityContext: hardened,
    resources: resourcesOf(options.resources, defaults),
    ports: [
      { name: 'dns', containerPort: ports.dns, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: ports.dns, protocol: 'TCP' },
    ],
    startupProbe: {
      tcpSocket: { port: k8s.IntOrString.fromNumber(ports.dns) },
      periodSeconds: 1,
      failureThreshold: 60,
    },
    // For a container in which start.sh no longer looks. An exec probe is expensive, so it is rare.
    livenessProbe: {
      exec: { command: ['sqlite3', '-readonly', database, 'select count(*) from domains'] },
      periodSeconds: 300,
      timeoutSeconds: 10,
      failureThreshold: 2,
    },
    // A single replica answers until it exits.
    ...(options.replicas > 1 && { lifecycle: { preStop: { exec: { command: ['sleep', `${drainSeconds}`] } } } }),
    volumeMounts: [
      { name: dataVolume, mountPath: paths.database },
      { name: 'key', mountPath: paths.key },
      { name: 'powerdns', mountPath: paths.powerdns, readOnly: true },
      { name: 'socket', mountPath: paths.socket },
    ],
  };
}
