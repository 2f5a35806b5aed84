/** Inputs: what they are called, and reading one whole. */
import { machine } from './effects.js'
import { FoldError, systemCode } from './errors.js'

/** What an archive calls the input at a path: its file name less `.txt`. */
export function inputName(path: string): string {
  return (path.split(/[/\\]/).at(-1) ?? path).replace(/\.txt$/i, '')
}

/** The bytes of a file, with errors that say what is wrong with it as an input. */
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
