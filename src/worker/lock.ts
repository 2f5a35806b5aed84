/**
 * One worker for each state directory: a file that names the process.
 *
 * A process number may belong to another process after a restart of the machine, so the file also says since which start
 * of the machine it holds, where the system tells.
 */
import { join } from 'node:path'
import type { Effects } from '../effects.js'
import { FoldError, systemCode } from '../errors.js'

type LockWorld = Pick<Effects, 'files' | 'pid' | 'isRunning' | 'sleep'>

const TRIES = 4
/** A process that was killed takes a moment to be gone. */
const PAUSE = 300

/** Takes the directory; resolves to what gives it back. */
export async function lockState(directory: string, world: LockWorld): Promise<() => Promise<void>> {
  const { files, pid } = world
  const path = join(directory, 'worker.lock')
  const mine = `${pid} ${await bootId(world)}`
  for (let tries = 1; ; tries += 1) {
    try {
      await files.writeFile(path, mine, { flag: 'wx' })
      return () => files.rm(path, { force: true })
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    const [owner, boot] = (await files.readFile(path, 'utf8').catch(() => '')).split(' ')
    const alive = boot === mine.split(' ')[1] && Number(owner) !== pid && world.isRunning(Number(owner))
    if (!alive) await files.rm(path, { force: true })
    if (tries === TRIES) {
      throw new FoldError(
        'STATE_IN_USE',
        `process ${owner} works in ${directory} already; give each worker a LOCAL_STATE_DIR of its own`,
      )
    }
    if (alive) await world.sleep(PAUSE)
  }
}

async function bootId({ files }: LockWorld): Promise<string> {
  try {
    return (await files.readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return 'unknown'
  }
}
