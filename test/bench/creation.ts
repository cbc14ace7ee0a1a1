import { until } from '../e2e/cluster/kubectl.ts';
import { type Stack, stacks } from './stacks.ts';
import { median, printTable, seconds } from './table.ts';

const rounds = 5;

/** Measures from the start of `kubectl apply`, with all images present, until DNS answers and until the stack is ready. */
export async function benchCreation(): Promise<void> {
  const times: { answers: number; ready: number }[][] = stacks.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, stack] of stacks.entries()) {
      times[index]!.push(await create(stack));
      await stack.remove();
    }
  }
  const row = (which: 'answers' | 'ready') => times.map((each) => seconds(median(each.map((time) => time[which]))));
  const slowest = times.map((each) => seconds(Math.max(...each.map(({ ready }) => ready))));
  printTable(
    'Creation (median, s)',
    ['', ...stacks.map(({ title }) => title), 'n'],
    [
      ['applied -> SOA answered through the Service', ...row('answers'), rounds],
      ['applied -> Ready', ...row('ready'), rounds],
      ['applied -> Ready, slowest', ...slowest, rounds],
    ],
  );
}

async function create(stack: Stack): Promise<{ answers: number; ready: number }> {
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  await stack.apply();
  const [answers, ready] = await Promise.all([
    until(`${stack.zone} is answered`, async () => {
      const { answers } = await (await stack.client()).ask(stack.zone, 'SOA');
      return answers.length > 0;
    }).then(since),
    stack.ready().then(since),
  ]);
  return { answers, ready };
}
