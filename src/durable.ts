/** What everything has in common that keeps its contents in a directory through the addon. */
import { native } from './addon.js'
import { Serial } from './serial.js'

/** The addon's side of it. */
interface NativeDurable {
  flush(): Promise<void>
  close(): Promise<void>
}

/** Contents that outlive the process once they are flushed. Calls take effect in the order in which they are made. */
export abstract class Durable<Native extends NativeDurable> {
  /** For what is there at once; whatever takes time goes through {@link run}. */
  protected readonly native: Native
  readonly #calls = new Serial()

  protected constructor(held: Native) {
    this.native = held
  }

  /** Makes everything that is in it so far durable. */
  flush(): Promise<void> {
    return this.run((held) => held.flush())
  }

  /** Flushes and lets go of the files. Using it afterwards is an error with code `CLOSED`; closing again is not. */
  close(): Promise<void> {
    return this.run((held) => held.close())
  }

  /** Closes it: for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Calls the addon when all calls before have ended. */
  protected run<T>(call: (held: Native) => Promise<T>): Promise<T> {
    return this.#calls.run(() => native(() => call(this.native)))
  }
}
