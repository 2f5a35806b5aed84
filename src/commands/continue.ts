/** How an archive that a limit ended is gone on with. */
export function howToContinue(archive: string, options = ''): string {
  return `fold-worker search --continue ${archive}${options} --out ANOTHER.bin`
}
