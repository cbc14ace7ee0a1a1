/**
 * Lines of a stream as they arrive; what follows the last line end was cut off and is dropped.
 * @param most characters of one line
 */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > most) throw new Error(`cannot read a line of more than ${most} characters`);
    yield* lines.filter((line) => line !== '');
  }
}
