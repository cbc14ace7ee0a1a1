/** The Pod Security Standard `restricted`: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */

interface SecurityContext {
  [field: string]: unknown;
  capabilities?: { add?: string[]; drop?: string[] };
  seccompProfile?: { type: string };
}

interface Container {
  name: string;
  securityContext?: SecurityContext;
  ports?: { hostPort?: number }[];
}

export interface PodSpec {
  [field: string]: unknown;
  securityContext?: SecurityContext & { sysctls?: unknown[] };
  containers: Container[];
  initContainers?: Container[];
  volumes?: Record<string, unknown>[];
}

const volumeTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const seccompTypes = ['RuntimeDefault', 'Localhost'];

/** Returns what violates the standard in a pod, including baseline. */
export function violations(pod: PodSpec): string[] {
  const volumes = (pod.volumes ?? []).flatMap(({ name, ...source }) => Object.keys(source));
  const ofPod = [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => pod[field]),
    ...volumes.filter((type) => !volumeTypes.includes(type)).map((type) => `volume of type ${type}`),
    ...((pod.securityContext?.sysctls ?? []).length > 0 ? ['sysctls'] : []),
    ...(pod.securityContext?.runAsUser === 0 ? ['pod runs as root'] : []),
  ];
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [...ofPod, ...containers.flatMap((container) => ofContainer(container, pod.securityContext ?? {}))];
}

function ofContainer({ name, securityContext = {}, ports = [] }: Container, pod: SecurityContext): string[] {
  const { capabilities = {}, allowPrivilegeEscalation, privileged, procMount } = securityContext;
  const effective = <T>(field: string) => (securityContext[field] ?? pod[field]) as T | undefined;
  const seccomp = effective<{ type: string }>('seccompProfile')?.type;
  const faults: [boolean, string][] = [
    [allowPrivilegeEscalation !== false, 'may escalate its privileges'],
    [privileged === true, 'is privileged'],
    [procMount !== undefined && procMount !== 'Default', 'mounts proc'],
    [!capabilities.drop?.includes('ALL'), 'does not drop every capability'],
    [(capabilities.add ?? []).some((each) => each !== 'NET_BIND_SERVICE'), 'adds a capability'],
    [effective('runAsNonRoot') !== true, 'may run as root'],
    [effective('runAsUser') === 0, 'runs as root'],
    [seccomp === undefined || !seccompTypes.includes(seccomp), 'has no seccomp profile'],
    [ports.some(({ hostPort }) => hostPort !== undefined), 'has a port of the host'],
  ];
  return faults.flatMap(([isWrong, fault]) => (isWrong ? [`${name} ${fault}`] : []));
}
