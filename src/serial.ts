/** Calls one after the other in the order in which they were made, though each takes its time. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `call` when all before it have ended, well or not. */
  run<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call, call)
    this.#last = result.catch(() => undefined)
    return result
  }
}
