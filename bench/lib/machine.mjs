import { cpus, loadavg, platform, arch } from 'node:os'

/** What the figures were taken on, and how busy it was: a ratio from a busy machine deserves less trust. */
export function machine() {
  const load = loadavg()
    .map((l) => l.toFixed(1))
    .join(' ')
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${platform()} ${arch()}, Node ${process.version}, load ${load}`
}
