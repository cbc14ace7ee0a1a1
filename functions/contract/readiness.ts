/**
 * How long kubelet waits for the agent's answer whether it is ready. It comes as soon as that is so, and at the latest
 * shortly before: kubelet learns of it at once, although it asks rarely. Seconds.
 */
export const readinessTimeoutSeconds = 10;
