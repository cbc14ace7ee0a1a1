import * as z from 'zod';
import { linesOf } from '../connect/text.ts';
import { readPage } from './agent.ts';
import { Failure } from './failure.ts';
import { type InternalDNS, parseJson } from './instance.ts';
import type { Kubectl } from './kubectl.ts';
import type { Output } from './output.ts';

const text = z.string();
const servers = z.array(z.object({ address: text, port: z.int() }));
const step = z.object({ text, code: text.exactOptional() });

/** What the command reads of /connect.json. */
const guide = z.object({
  instance: text,
  zones: z.array(z.object({ name: text, ds: z.array(text) })),
  ways: z.array(z.object({ service: text, type: text, servers, hostname: text.exactOptional() })),
  notes: z.array(text),
  answersAll: z.literal(true).exactOptional(),
  families: z.array(
    z.object({
      name: text,
      service: text,
      servers,
      caution: text.exactOptional(),
      programs: z.array(z.object({ id: text, name: text, steps: z.array(step) })),
    }),
  ),
});

export interface ConnectOptions {
  kubectl: Kubectl;
  instance: InternalDNS;
  /** Of the pods, if not that of the InternalDNS. */
  namespace: string | undefined;
  /** The id of a program; all without one. */
  program: string | undefined;
  /** The name of a Service in the spec; without one the best for each program. */
  way: string | undefined;
}

/** What to paste where. */
export async function connect({ kubectl, instance, namespace, program, way }: ConnectOptions): Promise<Output> {
  const action = `read how to connect to ${instance.metadata.name}`;
  const query = way === undefined ? '' : `?${new URLSearchParams({ way })}`;
  const { answer } = await readPage(kubectl, instance, { path: `/connect.json${query}`, action, namespace });
  const all = parseJson(guide, answer, action);
  const ids = all.families.flatMap(({ programs }) => programs.map(({ id }) => id));
  if (program !== undefined && ids.length > 0 && !ids.includes(program))
    throw new Failure(`cannot connect ${program}: it is not known: use one of ${ids.join(', ')}`);
  const families = all.families
    .map((family) => ({
      ...family,
      programs: family.programs.filter(({ id }) => program === undefined || id === program),
    }))
    .filter(({ programs }) => program === undefined || programs.length > 0);
  return { lines: [...linesOf(all, program)], json: { ...all, families } };
}
