/** Reads a whole input file, with errors that say what is wrong with it as an input. */
import { machine } from './effects.js'
import { FoldError, systemCode } from './errors.js'

export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await machine.files.readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new FoldError('INPUT_NOT_FOUND', `there is no file ${path}`, { cause: error })
    }
    throw new FoldError('INPUT_UNREADABLE', `${path} cannot be read as a file`, { cause: error })
  }
}
