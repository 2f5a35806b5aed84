//! Cuts UTF-8 text into sentences of words, as section 1 of the specification defines them.
//!
//! What it does, in this order: a byte order mark at the start is dropped; the text is put in NFC; U+2019 is read as
//! an apostrophe, CRLF and CR as LF. A sentence ends at one of `. ? ; ! , 。 ？ ； ！ ， 、 ؟ ؛ ،` or at a line that is
//! empty or only white space. A word is a maximal run of letters (L), marks (M) and apostrophes, less the
//! apostrophes at its ends, in lower case (full mapping, a capital sigma at the end of a word being `ς`).
//!
//! Guarantees: one pass over a [`Read`]; the result does not depend on how the reader cuts its bytes; no input makes
//! it panic. Costs: time linear in the text; memory one buffer of 64 KiB and the current word, whatever
//! the length of lines and sentences.
//!
//! Which characters are letters, and how they are lowered, is settled by the Unicode tables that the program was built
//! with; a word of characters that a later version of Unicode changed can differ between versions of the program.
//!
//! How NFC is done on a stream: normalisation never looks across a character whose first decomposed character is a
//! starter that cannot combine with what precedes it. The text is cut in front of each of these ("boundaries") and
//! each piece is normalised alone. Every ASCII character is a boundary and is its own normal form, so runs of
//! ASCII, less their last character (a mark may follow it), skip normalisation altogether.

use std::io::{ErrorKind, Read};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical};
use unicode_normalization::{IsNormalized, is_nfc_quick};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::error::{Code, Error, Result};

/// Takes the words of a text in order.
///
/// A sentence is one or more calls of [`word`](Self::word), then one of [`end_sentence`](Self::end_sentence);
/// sentences without words are not reported. An error stops the splitter and is handed on.
pub trait SentenceSink {
    /// The next word of the current sentence: not empty, in lower case, borrowed for the call.
    fn word(&mut self, word: &str) -> Result<()>;
    /// The current sentence is complete.
    fn end_sentence(&mut self) -> Result<()>;
    /// A line of the text ended (LF, CR or CRLF); the words before it have been given.
    fn end_line(&mut self) {}
}

/// Splits everything that `reader` gives; `name` is what errors call the input.
///
/// # Errors
/// [`Code::InputNotUtf8`] with the offset of the first byte that is not UTF-8, [`Code::InputUnreadable`] if the
/// reader fails, and whatever the sink returns.
pub fn split(name: &str, reader: &mut dyn Read, sink: &mut dyn SentenceSink) -> Result<()> {
    let mut splitter = Splitter::new(sink);
    let mut buffer = vec![0; BUFFER];
    // Bytes at the start of the buffer that belong to a character not yet complete: at most 3.
    let mut kept = 0;
    let mut offset = 0_u64;
    loop {
        let got = match reader.read(&mut buffer[kept..]) {
            Ok(got) => got,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
            Err(cause) => {
                let message = format!("reading {name} failed near byte {offset}: {cause}");
                return Err(Error::new(Code::InputUnreadable, message).because(cause));
            }
        };
        let bytes = &buffer[..kept + got];
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => {
                splitter.feed(text)?;
                bytes.len()
            }
            Err(fault) => {
                let valid = fault.valid_up_to();
                if fault.error_len().is_some() || got == 0 {
                    return Err(not_utf8(
                        name,
                        offset + valid as u64,
                        bytes[valid],
                        fault.error_len().is_none(),
                    ));
                }
                // The prefix was just found valid, so nothing is lost here.
                splitter.feed(std::str::from_utf8(&bytes[..valid]).unwrap_or_default())?;
                valid
            }
        };
        if got == 0 {
            return splitter.finish();
        }
        kept = bytes.len() - valid;
        offset += valid as u64;
        buffer.copy_within(valid..valid + kept, 0);
    }
}

/// [`split`] for a text in memory.
///
/// # Errors
/// As [`split`].
pub fn split_bytes(name: &str, mut bytes: &[u8], sink: &mut dyn SentenceSink) -> Result<()> {
    split(name, &mut bytes, sink)
}

const BUFFER: usize = 64 << 10;

fn not_utf8(name: &str, offset: u64, byte: u8, cut_short: bool) -> Error {
    let found = if cut_short { "the text ends within a character" } else { "no character starts like this" };
    Error::new(
        Code::InputNotUtf8,
        format!(
            "{name} is not UTF-8: byte {offset} is 0x{byte:02x}, {found}; convert the file to UTF-8 and try again"
        ),
    )
}

/// What a character means to the splitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Apostrophe,
    /// White space other than LF and CR: leaves a blank line blank.
    Space,
    LineFeed,
    CarriageReturn,
    SentenceEnd,
    Other,
}

impl Class {
    const fn of_ascii(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Self::Letter,
            b'\'' => Self::Apostrophe,
            b'\t' | 0x0b | 0x0c | b' ' => Self::Space,
            b'\n' => Self::LineFeed,
            b'\r' => Self::CarriageReturn,
            b'.' | b'?' | b';' | b'!' | b',' => Self::SentenceEnd,
            _ => Self::Other,
        }
    }

    /// The class of a character of the normalised text.
    fn of(c: char) -> Self {
        if c.is_ascii() {
            return ASCII[c as usize];
        }
        match c {
            '\u{2019}' => Self::Apostrophe,
            '。' | '？' | '；' | '！' | '，' | '、' | '؟' | '؛' | '،' => Self::SentenceEnd,
            _ => match c.general_category_group() {
                GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark => Self::Letter,
                _ if c.is_whitespace() => Self::Space,
                _ => Self::Other,
            },
        }
    }

    const fn in_word(self) -> bool {
        matches!(self, Self::Letter | Self::Apostrophe)
    }
}

const ASCII: [Class; 128] = {
    let mut table = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = Class::of_ascii(byte);
        byte += 1;
    }
    table
};

/// Whether normalisation of the text before `c` is independent of `c` and all that follows.
fn is_boundary(c: char) -> bool {
    // Below U+0300 there are neither marks nor characters that combine with their predecessor.
    if c < '\u{300}' {
        return true;
    }
    let mut first = None;
    decompose_canonical(c, |d| {
        first.get_or_insert(d);
    });
    let first = first.unwrap_or(c);
    canonical_combining_class(first) == 0 && is_nfc_quick(std::iter::once(first)) == IsNormalized::Yes
}

struct Splitter<'a> {
    sink: &'a mut dyn SentenceSink,
    /// Nothing was fed yet, so a byte order mark may come.
    at_start: bool,
    /// Text from the last boundary on, not yet normalised; empty only at the start.
    segment: String,
    /// The current word as written, less its leading apostrophes.
    word: String,
    /// The current sentence has a word.
    in_sentence: bool,
    /// Since the last LF there was only white space.
    line_is_blank: bool,
    /// The last character was a CR, so an LF now belongs to it.
    after_cr: bool,
}

impl<'a> Splitter<'a> {
    fn new(sink: &'a mut dyn SentenceSink) -> Self {
        Self {
            sink,
            at_start: true,
            segment: String::new(),
            word: String::new(),
            in_sentence: false,
            line_is_blank: false,
            after_cr: false,
        }
    }

    fn feed(&mut self, mut text: &str) -> Result<()> {
        if self.at_start && !text.is_empty() {
            self.at_start = false;
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        while !text.is_empty() {
            let ascii = text.bytes().position(|b| !b.is_ascii()).unwrap_or(text.len());
            if ascii > 0 {
                self.normalise_segment()?;
                self.take_ascii(&text[..ascii - 1])?;
                self.segment.push_str(&text[ascii - 1..ascii]);
                text = &text[ascii..];
            }
            let foreign = text.bytes().position(|b| b.is_ascii()).unwrap_or(text.len());
            for c in text[..foreign].chars() {
                if is_boundary(c) {
                    self.normalise_segment()?;
                }
                self.segment.push(c);
            }
            text = &text[foreign..];
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.normalise_segment()?;
        self.end_word()?;
        self.end_sentence()
    }

    fn normalise_segment(&mut self) -> Result<()> {
        let mut segment = std::mem::take(&mut self.segment);
        let mut chars = segment.chars();
        match (chars.next(), chars.next()) {
            (None, _) => {}
            (Some(only), None) if only < '\u{300}' => self.take(only)?,
            _ => {
                for c in segment.nfc() {
                    self.take(c)?;
                }
            }
        }
        // A freak of a segment must not keep its memory.
        if segment.capacity() <= BUFFER {
            segment.clear();
            self.segment = segment;
        }
        Ok(())
    }

    /// One character of the normalised text.
    #[inline]
    fn take(&mut self, c: char) -> Result<()> {
        let class = Class::of(c);
        match class {
            Class::Letter => self.word.push(c),
            Class::Apostrophe if !self.word.is_empty() => self.word.push('\''),
            Class::Apostrophe => {}
            _ => {
                self.end_word()?;
                return self.take_separator(class);
            }
        }
        self.line_is_blank = false;
        self.after_cr = false;
        Ok(())
    }

    /// The same as [`take`](Self::take) for each character, a word at a time.
    fn take_ascii(&mut self, text: &str) -> Result<()> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let class = ASCII[usize::from(byte)];
            if !class.in_word() {
                self.end_word()?;
                self.take_separator(class)?;
                at += 1;
                continue;
            }
            let len = bytes[at..]
                .iter()
                .position(|&b| !ASCII[usize::from(b)].in_word())
                .unwrap_or(bytes.len() - at);
            let run = &text[at..at + len];
            at += len;
            self.line_is_blank = false;
            self.after_cr = false;
            if self.word.is_empty() {
                self.word.push_str(run.trim_start_matches('\''));
            } else {
                self.word.push_str(run);
            }
        }
        Ok(())
    }

    #[inline]
    fn take_separator(&mut self, class: Class) -> Result<()> {
        let after_cr = std::mem::replace(&mut self.after_cr, class == Class::CarriageReturn);
        match class {
            Class::Space => Ok(()),
            Class::LineFeed if after_cr => Ok(()),
            Class::LineFeed | Class::CarriageReturn => {
                self.sink.end_line();
                if std::mem::replace(&mut self.line_is_blank, true) { self.end_sentence() } else { Ok(()) }
            }
            Class::SentenceEnd => {
                self.line_is_blank = false;
                self.end_sentence()
            }
            Class::Letter | Class::Apostrophe | Class::Other => {
                self.line_is_blank = false;
                Ok(())
            }
        }
    }

    #[inline]
    fn end_word(&mut self) -> Result<()> {
        if self.word.is_empty() {
            return Ok(());
        }
        // The word starts with a letter or mark, so something is left.
        let stripped = self.word.trim_end_matches('\'').len();
        self.word.truncate(stripped);
        let lower;
        let word = if self.word.is_ascii() {
            self.word.make_ascii_lowercase();
            &self.word
        } else {
            lower = self.word.to_lowercase();
            &lower
        };
        self.in_sentence = true;
        self.sink.word(word)?;
        if self.word.capacity() > BUFFER {
            self.word = String::new();
        } else {
            self.word.clear();
        }
        Ok(())
    }

    fn end_sentence(&mut self) -> Result<()> {
        if std::mem::take(&mut self.in_sentence) { self.sink.end_sentence() } else { Ok(()) }
    }
}
