/** What the program without a command can run as. */
export const MODES = ['local', 'cloud-worker'] as const
