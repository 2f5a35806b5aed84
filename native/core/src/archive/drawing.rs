//! An ortho as people read it: a grid of words, or one grid for each slice if it has more than two axes.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::ortho::canonical_cells;

/// Draws the words, given in canonical cell order. Of two axes the first goes down and the second to the right; with
/// more, the last two do so in each slice, named by the coordinates on the others.
///
/// Columns are as wide as their longest word, counted in characters that take up room.
#[must_use]
pub fn draw(dims: &[u32], words: &[String]) -> String {
    let mut cells: Vec<(Vec<u32>, &str)> =
        canonical_cells(dims).into_iter().zip(words.iter().map(String::as_str)).collect();
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    let leading = dims.len().saturating_sub(2);
    let mut widths = vec![0; dims.last().copied().unwrap_or(0) as usize];
    for (cell, word) in &cells {
        if let Some(widest) = cell.last().and_then(|&column| widths.get_mut(column as usize)) {
            *widest = width(word).max(*widest);
        }
    }
    let mut drawing = String::new();
    for slice in cells.chunk_by(|a, b| a.0[..leading] == b.0[..leading]) {
        if leading > 0 {
            if !drawing.is_empty() {
                drawing.push('\n');
            }
            let names: Vec<String> = slice[0].0[..leading].iter().map(u32::to_string).collect();
            drawing.push_str(&format!("slice {}\n", names.join(",")));
        }
        for row in slice.chunk_by(|a, b| a.0[..=leading] == b.0[..=leading]) {
            let mut line = String::new();
            for ((_, word), &widest) in row.iter().zip(&widths) {
                line.push_str(word);
                line.extend(std::iter::repeat_n(' ', widest - width(word) + 2));
            }
            drawing.push_str(line.trim_end());
            drawing.push('\n');
        }
    }
    drawing
}

fn width(word: &str) -> usize {
    word.chars().filter(|c| c.general_category_group() != GeneralCategoryGroup::Mark).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn two_axes_are_one_grid() {
        // By shell: the | old sat | man by | it.
        assert_eq!(draw(&[2, 3], &words("the old sat man by it")), "the  old  man\nsat  by   it\n");
    }

    #[test]
    fn three_axes_are_slices() {
        let drawing = draw(&[2, 2, 2], &words("a b c d e f g h"));
        assert_eq!(drawing, "slice 0\na  b\nc  e\n\nslice 1\nd  f\ng  h\n");
    }

    #[test]
    fn four_axes_name_slices_by_two_coordinates() {
        let numbers: Vec<String> = (0..16).map(|n| n.to_string()).collect();
        let drawing = draw(&[2, 2, 2, 2], &numbers);
        assert!(drawing.starts_with("slice 0,0\n0   1\n"), "{drawing}");
        assert!(drawing.contains("\n\nslice 1,1\n"), "{drawing}");
    }

    #[test]
    fn marks_take_no_room() {
        assert_eq!(draw(&[2, 2], &words("e\u{301} b cc d")), "e\u{301}   b\ncc  d\n");
    }
}
