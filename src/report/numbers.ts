/** Numbers, times and shape tables for people. The same on every machine: no locale of the host is asked. */
import { compareShapes } from '../shape.js'

/** `1234567` as `1,234,567`. */
export function formatCount(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Seconds with as many digits as matter: `12 ms`, `3.4 s`, `5 min 20 s`, `2 h 3 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** The word with its number: `1 ortho`, `1,200 orthos`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`
}

/** A line a shape, numbers aligned at the right, with a total below when there is more than one. */
export function shapeTable(shapes: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(shapes)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => compareShapes(a, b))
    .map(([shape, count]): [string, string] => [shape, formatCount(count)])
  if (rows.length > 1) {
    rows.push(['total', formatCount(Object.values(shapes).reduce((a, b) => a + b, 0))])
  }
  const [left, right] = [0, 1].map((i) => Math.max(0, ...rows.map((row) => row[i as 0 | 1].length)))
  return rows.map(([shape, count]) => `${shape.padEnd(left ?? 0)}  ${count.padStart(right ?? 0)}`)
}
