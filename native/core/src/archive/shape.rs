//! Shapes as archives name them, such as `2x3`, and counts by shape.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::ortho::{Dims, parse_shape, shape_name};

/// Canonical dimensions: two or more, each at least 2, ascending. Ordered by their number, then lexicographically.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape(Dims);

impl Shape {
    /// The shape of these dimensions; `None` if no canonical ortho has them.
    #[must_use]
    pub fn new(dims: impl Into<Dims>) -> Option<Self> {
        let dims = dims.into();
        let canonical = dims.len() >= 2 && dims.first().is_some_and(|&d| d >= 2) && dims.is_sorted();
        canonical.then_some(Self(dims))
    }

    /// The dimensions.
    #[must_use]
    pub fn dims(&self) -> &[u32] {
        &self.0
    }
}

impl PartialOrd for Shape {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Shape {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shape_name(&self.0))
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = parse_shape(text).and_then(Self::new);
        // One text for one shape: no "3x2", no "+2x3", no "02x3".
        shape.filter(|shape| shape.to_string() == text).ok_or_else(|| {
            format!("{text:?} is no shape; expected two or more ascending numbers from 2 on, such as 2x3")
        })
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The number of orthos of each shape that has any; in JSON an object from shape to number, in the order of shapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShapeCounts(BTreeMap<Shape, u64>);

impl ShapeCounts {
    /// Adds to the count of a shape.
    pub fn add(&mut self, shape: Shape, count: u64) {
        if count > 0 {
            let total = self.0.entry(shape).or_default();
            *total = total.saturating_add(count);
        }
    }

    /// The count of a shape.
    #[must_use]
    pub fn get(&self, shape: &Shape) -> u64 {
        self.0.get(shape).copied().unwrap_or(0)
    }

    /// The count of all shapes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Shapes and counts, by number of dimensions, then lexicographically.
    pub fn iter(&self) -> impl Iterator<Item = (&Shape, u64)> {
        self.0.iter().map(|(shape, &count)| (shape, count))
    }

    /// Whether there is no ortho.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Shape, u64)> for ShapeCounts {
    fn from_iter<I: IntoIterator<Item = (Shape, u64)>>(counts: I) -> Self {
        let mut all = Self::default();
        counts.into_iter().for_each(|(shape, count)| all.add(shape, count));
        all
    }
}

impl Serialize for ShapeCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(shape, count)| (shape.to_string(), count)))
    }
}

impl<'de> Deserialize<'de> for ShapeCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CountsVisitor)
    }
}

struct CountsVisitor;

impl<'de> Visitor<'de> for CountsVisitor {
    type Value = ShapeCounts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from shapes such as \"2x3\" to their counts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ShapeCounts, A::Error> {
        let mut counts = BTreeMap::new();
        while let Some((text, count)) = map.next_entry::<String, u64>()? {
            let shape: Shape = text.parse().map_err(de::Error::custom)?;
            if counts.insert(shape, count).is_some() {
                return Err(de::Error::custom(format!("shape {text} is there twice")));
            }
        }
        Ok(ShapeCounts(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_one_text() {
        for text in ["2x2", "2x3", "2x2x2", "3x11"] {
            assert_eq!(text.parse::<Shape>().map(|shape| shape.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "2", "2x", "x2", "3x2", "1x2", "02x3", "+2x3", "2x3 ", "2X3", "2x99999999999"] {
            assert!(text.parse::<Shape>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn counts_are_written_in_the_order_of_shapes() {
        let text = r#"{"2x2":5,"2x3":1,"2x11":2,"3x3":9007199254740993,"2x2x2":4}"#;
        let counts: ShapeCounts = serde_json::from_str(text).expect("counts");
        assert_eq!(serde_json::to_string(&counts).expect("text"), text);
        assert_eq!(counts.total(), 9_007_199_254_741_005);
        assert!(serde_json::from_str::<ShapeCounts>(r#"{"2x2":5,"2x2":1}"#).is_err());
        assert!(serde_json::from_str::<ShapeCounts>(r#"{"3x2":5}"#).is_err());
    }
}
