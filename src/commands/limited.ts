/** A command whose work can be ended early by limits. */
import { Option } from 'clipanion'
import type { Limits } from '../limits.js'
import { FoldCommand } from './base.js'
import { LIMITS_HELP, limitOptions } from './options.js'

export abstract class LimitedCommand extends FoldCommand {
  maxOrthos = Option.String('--max-orthos', { description: LIMITS_HELP.maxOrthos })
  maxTime = Option.String('--max-time', { description: LIMITS_HELP.maxTime })
  maxDisk = Option.String('--max-disk', { description: LIMITS_HELP.maxDisk })
  diskReserve = Option.String('--disk-reserve', { description: LIMITS_HELP.diskReserve })
  maxDims = Option.String('--max-dims', { description: LIMITS_HELP.maxDims })

  /** The limits that were given. */
  protected limits(): Limits {
    return limitOptions(this)
  }
}
