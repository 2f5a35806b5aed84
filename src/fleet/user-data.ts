/** What a droplet is told at its first start: the environment of the worker, and deploy/worker.sh. */
import { FoldError } from '../errors.js'

/** What the API takes. */
const MOST_BYTES = 64 * 1024

/** A script for cloud-init. Values are quoted for the shell and travel in base64, so that none can be anything else. */
export function userData(environment: Readonly<Record<string, string>>, workerScript: string): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  )
  const encoded = Buffer.from(lines.join('')).toString('base64')
  const script = [
    '#!/bin/bash',
    'umask 077',
    `base64 -d > /etc/fold-worker.env <<'END'`,
    ...(encoded.match(/.{1,120}/g) ?? []),
    'END',
    workerScript.replace(/^#!.*\n/, ''),
  ].join('\n')
  const bytes = Buffer.byteLength(script)
  if (bytes > MOST_BYTES) {
    throw new FoldError(
      'INVALID_ARGUMENT',
      `the orders of a droplet have ${bytes} bytes, and ${MOST_BYTES} are the most; give each droplet fewer inputs`,
    )
  }
  return script
}
