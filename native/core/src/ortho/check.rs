//! Whether a grid of tokens is an ortho of a text: section 2 of the specification, and nothing else.
//!
//! Written from the definition, with no idea shared with the search, so that each can check the other.
//!
//! Guarantee: accepts exactly the canonical orthos, for any dimensions and tokens. Cost: a phrase query for each line
//! and a comparison for each pair of a shell; of a sequence of orthos only the lines and shells past the prefix that
//! an ortho shares with the one before it, so that orthos in sorted order are checked several times faster.

use crate::text::{PhraseIndex, Token};

/// Greatest number of cells that is looked at: a grid larger than this could not have been stored.
const MAX_CELLS: usize = 1 << 22;

/// One line of the grid.
#[derive(Debug)]
struct Line {
    /// Positions in the cell order, from coordinate 0 on; ascending.
    cells: Vec<u32>,
}

/// Checks orthos of one shape, one after the other.
#[derive(Debug)]
pub struct Checker<'a> {
    index: &'a PhraseIndex,
    cells: usize,
    /// Sorted by the last cell, so that those within a shared prefix come first.
    lines: Vec<Line>,
    /// The first position of each shell, and the number of cells at the end.
    shells: Vec<usize>,
    /// Pairs of axes of equal length, neighbours in order: the positions of their unit cells.
    ordered: Vec<(u32, u32)>,
    /// The last ortho that was found sound.
    sound: Vec<Token>,
    line: Vec<Token>,
}

impl<'a> Checker<'a> {
    /// A checker of orthos of the shape.
    ///
    /// # Errors
    /// A sentence if no ortho has this shape: fewer than two dimensions, one below 2, not in ascending order, or more
    /// cells than can be.
    pub fn new(dims: &[u32], index: &'a PhraseIndex) -> Result<Self, String> {
        if dims.len() < 2 || dims.iter().any(|&d| d < 2) {
            return Err(format!("the dimensions {dims:?} are not two or more of at least 2"));
        }
        if !dims.is_sorted() {
            return Err(format!("the dimensions {dims:?} are not in ascending order"));
        }
        let cells = dims.iter().try_fold(1_usize, |product, &d| {
            product.checked_mul(d as usize).filter(|&cells| cells <= MAX_CELLS)
        });
        let cells = cells.ok_or_else(|| format!("the dimensions {dims:?} have more cells than can be"))?;
        let dims: Vec<usize> = dims.iter().map(|&d| d as usize).collect();
        Ok(Self::of(&dims, cells, index))
    }

    fn of(dims: &[usize], cells: usize, index: &'a PhraseIndex) -> Self {
        // Row-major numbers of cells ascend with their coordinates in lexicographic order.
        let strides: Vec<usize> = (0..dims.len()).map(|k| dims[k + 1..].iter().product()).collect();
        let coordinate = |cell: usize, k: usize| cell / strides[k] % dims[k];
        let shell = |cell: usize| (0..dims.len()).map(|k| coordinate(cell, k)).sum::<usize>();
        let mut order: Vec<usize> = (0..cells).collect();
        order.sort_by_key(|&cell| (shell(cell), cell));
        let mut position = vec![0_u32; cells];
        let mut shells = Vec::new();
        for (at, &cell) in order.iter().enumerate() {
            position[cell] = at as u32;
            if shell(cell) == shells.len() {
                shells.push(at);
            }
        }
        shells.push(cells);
        let mut lines: Vec<Line> = Vec::new();
        for (k, &stride) in strides.iter().enumerate() {
            for start in (0..cells).filter(|&cell| coordinate(cell, k) == 0) {
                lines.push(Line { cells: (0..dims[k]).map(|i| position[start + i * stride]).collect() });
            }
        }
        lines.sort_by(|a, b| a.cells.last().cmp(&b.cells.last()));
        let ordered = (1..dims.len())
            .filter(|&k| dims[k] == dims[k - 1])
            .map(|k| (position[strides[k - 1]], position[strides[k]]))
            .collect();
        Self { index, cells, lines, shells, ordered, sound: Vec::new(), line: Vec::new() }
    }

    /// Whether the tokens, in canonical cell order, are a canonical ortho of the text.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn check(&mut self, tokens: &[Token]) -> Result<(), String> {
        if tokens.len() != self.cells {
            return Err(format!("it has {} tokens, its shape has {} cells", tokens.len(), self.cells));
        }
        let words = self.index.interner().vocabulary_len();
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= words) {
            return Err(format!("token {token} is none of the {words} words"));
        }
        // What lies within the prefix shared with a sound ortho is sound.
        let shared = self.sound.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        for &(a, b) in &self.ordered {
            if tokens[a as usize] >= tokens[b as usize] {
                return Err(
                    "two axes of equal length are not in ascending order of their unit tokens".to_owned()
                );
            }
        }
        let first = self.shells.partition_point(|&start| start <= shared).saturating_sub(1);
        for (sum, bounds) in self.shells.windows(2).enumerate().skip(first) {
            let shell = &tokens[bounds[0]..bounds[1]];
            if let Some(twice) = repeated(shell) {
                let word = self.index.interner().word(twice);
                return Err(format!("shell {sum} has {word:?} twice"));
            }
        }
        let first =
            self.lines.partition_point(|line| line.cells.last().is_some_and(|&c| (c as usize) < shared));
        for line in &self.lines[first..] {
            self.line.clear();
            self.line.extend(line.cells.iter().map(|&cell| tokens[cell as usize]));
            if !is_phrase(self.index, &self.line) {
                let words: Vec<&str> =
                    self.line.iter().map(|&token| self.index.interner().word(token)).collect();
                return Err(format!("its line {:?} is no phrase of the text", words.join(" ")));
            }
        }
        self.sound.clear();
        self.sound.extend_from_slice(tokens);
        Ok(())
    }

    /// Whether every line of a grid of the shape is a phrase of the text; nothing else is looked at.
    pub fn has_lines(&mut self, tokens: &[Token]) -> bool {
        let words = self.index.interner().vocabulary_len();
        tokens.len() == self.cells
            && tokens.iter().all(|&token| (token as usize) < words)
            && self.lines.iter().all(|line| {
                self.line.clear();
                self.line.extend(line.cells.iter().map(|&cell| tokens[cell as usize]));
                is_phrase(self.index, &self.line)
            })
    }
}

fn is_phrase(index: &PhraseIndex, line: &[Token]) -> bool {
    match *line {
        [a, b] => index.bigram(a, b).is_some(),
        _ => index.phrase(line).is_some(),
    }
}

/// Some token that occurs twice.
fn repeated(shell: &[Token]) -> Option<Token> {
    if shell.len() <= 16 {
        let pairs = shell.iter().enumerate().find(|(at, token)| shell[at + 1..].contains(token));
        return pairs.map(|(_, &token)| token);
    }
    let mut sorted = shell.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::text::Interner;

    fn index(text: &str) -> PhraseIndex {
        let interner = Interner::from_bytes("text", text.as_bytes()).expect("UTF-8");
        PhraseIndex::build(Arc::new(interner)).expect("an index")
    }

    fn check(index: &PhraseIndex, dims: &[u32], words: &str) -> Result<(), String> {
        let tokens: Vec<Token> =
            words.split(' ').map(|word| index.interner().token(word).unwrap_or(Token::MAX)).collect();
        Checker::new(dims, index)?.check(&tokens)
    }

    #[test]
    fn a_square_needs_its_four_phrases() {
        let full = index("a b. a c. b d. c d.");
        // The second axis has the greater unit token, and its unit cell (0,1) comes first.
        assert_eq!(check(&full, &[2, 2], "a c b d"), Ok(()));
        for missing in ["a b", "a c", "b d", "c d"] {
            let text = "a b. a c. b d. c d. d a. x b. x c.".replace(&format!("{missing}."), "");
            let reason = check(&index(&text), &[2, 2], "a c b d").expect_err("a line is missing");
            assert!(reason.contains(&format!("{missing:?}")), "{reason}");
        }
    }

    #[test]
    fn the_mirror_image_is_not_canonical() {
        let reason = check(&index("a b. a c. b d. c d."), &[2, 2], "a b c d").expect_err("mirrored");
        assert!(reason.contains("ascending order"), "{reason}");
    }

    #[test]
    fn a_line_of_three_needs_the_whole_phrase() {
        // 2x3: rows "a b c" and "d e f"; cells by shell: a | b d | c e | f.
        let text = "a b c. d e f. a d. b e. c f.";
        assert_eq!(check(&index(text), &[2, 3], "a b d c e f"), Ok(()));
        let split = index("a b. b c. d e f. a d. b e. c f.");
        let reason = check(&split, &[2, 3], "a b d c e f").expect_err("bigrams do not make a phrase");
        assert!(reason.contains("a b c"), "{reason}");
    }

    #[test]
    fn a_shell_may_not_repeat_a_token() {
        // Shell 2 would be "c c".
        let text = "a b c. d c f. a d. b c. c f.";
        let reason = check(&index(text), &[2, 3], "a b d c c f").expect_err("repeated");
        assert!(reason.contains("shell 2"), "{reason}");
    }

    #[test]
    fn other_shells_may_repeat_it() {
        let text = "a b. a c. b a. c a.";
        assert_eq!(check(&index(text), &[2, 2], "a c b a"), Ok(()));
    }

    #[test]
    fn nonsense_is_refused_and_not_looked_up() {
        let index = index("a b. a c. b d. c d.");
        assert!(check(&index, &[2, 2], "a b c nothing").is_err());
        assert!(check(&index, &[2, 2], "a b c").is_err());
        for dims in [&[][..], &[2], &[1, 2], &[3, 2], &[0, 0], &[255; 100]] {
            assert!(Checker::new(dims, &index).is_err(), "{dims:?}");
        }
    }

    #[test]
    fn lines_alone_do_not_mind_shells() {
        let index = index("a b c. d c f. a d. b c. c f.");
        let tokens = |words: &str| -> Vec<Token> {
            words.split(' ').map(|word| index.interner().token(word).unwrap_or(Token::MAX)).collect()
        };
        let mut checker = Checker::new(&[2, 3], &index).expect("a shape");
        assert!(checker.has_lines(&tokens("a b d c c f")));
        assert!(!checker.has_lines(&tokens("a b d c c a")));
        assert!(!checker.has_lines(&tokens("a b d c c nothing")));
        assert!(!checker.has_lines(&tokens("a b d c c")));
    }

    #[test]
    fn a_shared_prefix_hides_nothing() {
        let index = index("a b. a c. b d. c d. b e. c e. c f.");
        let token = |word: &str| index.interner().token(word).expect("a word");
        let mut checker = Checker::new(&[2, 2], &index).expect("a shape");
        let (a, b, c) = (token("a"), token("b"), token("c"));
        assert_eq!(checker.check(&[a, c, b, token("d")]), Ok(()));
        assert_eq!(checker.check(&[a, c, b, token("e")]), Ok(()));
        assert!(checker.check(&[a, c, b, token("f")]).is_err(), "b f is no phrase");
        assert_eq!(checker.check(&[a, c, b, token("e")]), Ok(()));
        assert!(checker.check(&[a, b, c, token("e")]).is_err(), "not canonical");
    }
}
