/** What every error code means and what to do about it, for docs/reference.md. A code without words does not compile. */
import type { ErrorCode } from '../errors.js'

export interface Explained {
  means: string
  remedy: string
}

export const EXPLAINED: Readonly<Record<ErrorCode, Explained>> = {
  INTERNAL: {
    means: 'a defect of this program',
    remedy:
      'Report it with the whole message, the command and the version. What was stored before is not touched.',
  },
  INVALID_ARGUMENT: {
    means: 'a wrong argument or option',
    remedy: 'The message says what was expected; `fold-worker COMMAND --help` has all options.',
  },
  INPUT_NOT_FOUND: {
    means: 'the input does not exist',
    remedy: 'Look at the path or key in the message. Paths are relative to where the command is run.',
  },
  INPUT_UNREADABLE: {
    means: 'the input cannot be read: permissions, a directory, a device error',
    remedy: 'Give a file, not a directory, and let this user read it.',
  },
  INPUT_NOT_UTF8: {
    means: 'the input is not UTF-8; the message has the byte offset',
    remedy: 'Convert it first, such as with `iconv -f latin1 -t utf-8`.',
  },
  INPUT_TOO_LARGE: {
    means: 'the input is larger than can be handled',
    remedy: 'Cut it into chapters with `fold-worker stage`, search each and merge the archives.',
  },
  OUTPUT_EXISTS: {
    means: 'something is at the place to write to',
    remedy: 'Nothing is ever overwritten: give another `--out`, or take away what is there.',
  },
  DISK_FULL: {
    means: 'no space left',
    remedy:
      'Free some, or give an `--out` on another disk. A search ends before that and keeps what it has found, see `--disk-reserve`; ' +
      'a merge that cannot copy what its archives hold ends with this, and they are as they were.',
  },
  NOT_WRITABLE: {
    means: 'a place may not be written',
    remedy:
      'Give a place that this user may write, or change its permissions; the file system may be read-only.',
  },
  IO: {
    means: 'another failure of the operating system',
    remedy:
      'The line that begins with `because` has its words. If it speaks of the device, look at the disk.',
  },
  NOT_AN_ARCHIVE: {
    means: 'the path holds no archive',
    remedy:
      'An archive is a directory `NAME.bin` with a manifest in it. A `.tar.zst` must be unpacked first.',
  },
  DAMAGED: {
    means: 'stored data is cut short, changed, or contradicts its manifest',
    remedy:
      'Take the archive from a copy, or search its text again. The damaged one is never trusted or repaired.',
  },
  NEWER_FORMAT: {
    means: 'stored data was written by a newer version',
    remedy: 'Use that version of fold-worker, or a later one.',
  },
  MEMORY_TOO_SMALL: {
    means: 'the memory budget does not do; the message says what would',
    remedy: 'Give `--memory` what the message says, or cut the text into smaller ones.',
  },
  CLOSED: {
    means: 'a queue, tracker or archive was used after it was closed (library only)',
    remedy: 'Close it after its last use; `await` what uses it.',
  },
  SOME_INPUTS_FAILED: {
    means: 'some texts failed, the others are done',
    remedy: 'Each was named with its reason and is where it was. Remove the reason and start again.',
  },
  NO_ADDON: {
    means: 'the native part is missing for this platform, or cannot be loaded',
    remedy: 'The message says which it is: install again without `--omit=optional`, or build it.',
  },
  LIMIT_REACHED: {
    means: 'a limit ended the work, or a merge is incomplete; what was found is kept',
    remedy: 'Use what is there, or go on with `fold-worker search --continue ARCHIVE --out ANOTHER.bin`.',
  },
  INPUTS_CONFLICT: {
    means: 'different texts have one name',
    remedy:
      'Merge them with `--by-input` to look at them, with `--mix` to mix them, or take all but one away.',
  },
  TOKENIZER_DIFFERS: {
    means: 'archives were cut into words by different rules',
    remedy: 'Search the texts of the older archives again with this version.',
  },
  INPUTS_LEFT: {
    means: 'something named above could not be used; the rest is done',
    remedy: 'Each was named with its reason, and was left where it is.',
  },
  ENVIRONMENT_INVALID: {
    means: 'variables are missing or wrong; the message names all of them',
    remedy: 'Set them as the table of variables says. Nothing was done yet.',
  },
  STORAGE_DENIED: {
    means: 'the storage refuses the key, its signature or this operation',
    remedy: 'Look at the key, and at what it may do: deploy/policy.json has what a worker needs.',
  },
  BUCKET_NOT_FOUND: {
    means: 'there is no such bucket',
    remedy: 'Make it, or name the right one; the endpoint may be that of another region.',
  },
  STORAGE_UNAVAILABLE: {
    means: 'the storage could not be reached in the time for all attempts',
    remedy:
      'Look at endpoint and network, then start again on the same disk: it goes on with what is missing.',
  },
  TRANSFER_DAMAGED: {
    means: 'what arrived is not what was stored, more than once',
    remedy: 'Start again. If it stays, store the object anew: it, or its digest, is wrong.',
  },
  ARCHIVE_UNSAFE: {
    means: 'a compressed archive holds what no archive may: paths, links, a bomb',
    remedy: 'Do not use it, and find out who stored it. Nothing of it was kept.',
  },
  URL_EXPIRED: {
    means: 'a presigned URL is no longer valid',
    remedy: 'Start a new worker with new URLs, valid for longer than it may run.',
  },
  CLOCK_SKEWED: {
    means: 'the clock of this machine is too wrong for signatures',
    remedy: 'Set the clock; a time service such as chrony keeps it right.',
  },
  STORAGE_FAILED: {
    means: 'another answer of the storage that ends the work',
    remedy: 'The message has the answer. Start again on the same disk when the reason is gone.',
  },
  STATE_IN_USE: {
    means: 'another worker works in this state directory',
    remedy: 'Give each worker a state directory of its own.',
  },
  STOPPED_INCOMPLETE: {
    means: 'a worker was stopped; what it had found is stored as incomplete',
    remedy: 'Start it again on the same disk to go on, or merge what is stored with what others find.',
  },
  DROPLETS_FAILED: {
    means: 'droplets could not be listed, made or destroyed',
    remedy:
      'Start again: `spawn` does not make what is there, `reap` does not stop at one. **They are billed meanwhile.**',
  },
  ARCHIVE_EXISTS: {
    means: 'something else is stored where the presigned URL points',
    remedy: 'Look at what is there; give the worker a URL for another name.',
  },
  TEXT_DIFFERS: {
    means: 'a text that was given is not one that the archive was made of',
    remedy: 'Give the text as it was searched, byte for byte, or leave `--text` out.',
  },
  PROBLEMS_FOUND: {
    means: '`doctor` found something that keeps the program from working',
    remedy: 'Each problem comes with what to do about it.',
  },
  GOALS_DIFFER: {
    means: 'archives of the best orthos and of all were to be merged',
    remedy:
      'Merge each kind by itself, or all with `--goal optimal`: the result then holds the best and nothing else.',
  },
  CANCELLED: {
    means: 'stopped by Ctrl-C or by an `AbortSignal`',
    remedy: 'Nothing is half-written. The same command starts anew.',
  },
  TERMINATED: {
    means: 'stopped by SIGTERM',
    remedy: 'Nothing is half-written. The same command starts anew.',
  },
}
