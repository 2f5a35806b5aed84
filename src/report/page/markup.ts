/** HTML in which everything is escaped unless it was made here: a word such as `</script>` is text, wherever it stands. */

/** HTML as it is. Made by {@link html} and {@link verbatim} only. */
export class Markup {
  /** @internal */
  constructor(readonly text: string) {}
}

/** What can stand in a template: text and numbers are escaped, nothing is left out. */
export type Content = string | number | Markup | undefined | null | false | readonly Content[]

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for an element or for an attribute in quotes. Control characters, which HTML does not allow, are replaced. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character)
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '\ufffd')
}

function render(content: Content): string {
  if (content === undefined || content === null || content === false) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'string' || typeof content === 'number') return escapeHtml(String(content))
  return content.map(render).join('')
}

/** A piece of HTML with values in it. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.map((part, i) => part + render(values[i])).join(''))
}

/** HTML, a style or a script that the program itself holds. */
export function verbatim(text: string): Markup {
  return new Markup(text)
}

/** A value as JSON that can stand in a script element: nothing in it can end the element or begin a comment. */
export function jsonFor(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeUnicode))
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
