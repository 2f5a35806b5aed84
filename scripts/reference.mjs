// Writes docs/reference.md from the code: `npm run docs:reference`. A test fails when the file is not what this writes.
import { writeFileSync } from 'node:fs'
import { definitions } from '../src/cli.ts'
import { reference } from '../src/reference/markdown.ts'

writeFileSync('docs/reference.md', reference(definitions()))
