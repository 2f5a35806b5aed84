import { alternate, duration, median } from '../lib/measure.mjs'

/** How long nothing takes. */
export async function* startup(tools) {
  if (tools.commandLine === undefined) {
    yield { what: 'fold-worker --version', note: 'the command line is not built' }
    return
  }
  const start =
    (...args) =>
    async () =>
      (await tools.run(process.execPath, args)).seconds
  const [ours, theirs] = await alternate(
    tools.times(20, 10),
    start(tools.commandLine, '--version'),
    start('-e', '0'),
  )
  yield {
    what: 'fold-worker --version',
    ours: duration(ours),
    theirs: `node -e 0: ${duration(theirs)}`,
    ratio: median(ours) / median(theirs),
    target: { atMost: 1.5 },
    seconds: ours,
    theirSeconds: theirs,
  }
}
