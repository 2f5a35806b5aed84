//! `manifest.json`: what an archive holds, with the length and SHA-256 of each of its files.
//!
//! Guarantees: a manifest that parses is consistent in itself (counts add up, paths stay inside the archive, the
//! optimal ortho fits its dimensions). Unknown fields of this version are ignored; a later version is refused. Counts
//! are JSON numbers and may pass 2^53: read them with a parser that keeps 64-bit integers if that can happen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shape::{Shape, ShapeCounts};
use crate::error::{Code, Error, Result};
use crate::ortho::{Dims, Ortho, fullness, volume};
use crate::search::Shard;
use crate::text::{Interner, Token};

/// What `format` says.
pub const FORMAT: &str = "fold-archive";
/// The version that this program writes, and the latest that it reads.
pub const FORMAT_VERSION: u64 = 2;
/// The version of the rules that cut a text into sentences and words (section 1 of the specification).
pub const TOKENIZER: u64 = 1;
/// The program that writes, as manifests name it.
pub const PROGRAM: &str = concat!("fold-worker ", env!("CARGO_PKG_VERSION"));

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: u64,
    /// The program that wrote it, for people.
    pub program: String,
    /// The text that was searched; nothing for a merge.
    pub input: Option<InputInfo>,
    /// The number of orthos.
    pub ortho_count: u64,
    /// The number of orthos by shape.
    pub shapes: ShapeCounts,
    /// What was looked for.
    #[serde(default)]
    pub goal: Goal,
    /// Whether these are all orthos of the text; never said of a search for the optimum, see `proof`.
    pub complete: bool,
    /// The limits that ended the search early.
    pub limits: Vec<Limit>,
    /// The shards that are whole, if these are not all orthos of the text.
    #[serde(default)]
    pub shards: Vec<Shard>,
    /// Why the optimal ortho is that; there exactly if the goal was to find it.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// The optimal ortho; nothing if there is no ortho.
    pub optimal: Option<Optimal>,
    /// SHA-256, in hex, of interner and set of orthos, whatever their order in the files.
    pub content_digest: String,
    /// The S-expression of the inputs; see [`Lineage`](super::Lineage).
    pub lineage: String,
    /// The number of words in the vocabulary.
    pub vocabulary: u64,
    /// The splitter's version, [`TOKENIZER`].
    pub tokenizer: u64,
    /// Bytes of all files in `results/`.
    pub bytes: u64,
    /// All files but the manifest and `SHA256SUMS`, by their path with `/`.
    pub files: BTreeMap<String, FileInfo>,
    /// How it was searched; says nothing about the content.
    pub search: SearchInfo,
}

/// The text that was searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputInfo {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// A limit that was hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Which one, such as `maxOrthos`.
    pub name: String,
    /// What it was set to.
    pub value: u64,
}

/// What a search looks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// Every ortho.
    #[default]
    All,
    /// The optimal one, or the K best.
    Optimal,
}

impl Goal {
    /// Its name, as manifests and commands have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Optimal => "optimal",
        }
    }
}

/// Why there is no better ortho than those held, and what is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// How many of the best were wanted.
    pub top: u64,
    /// Shapes that no ortho of the text has inside. They exclude all volumes greater than that of the optimal ortho,
    /// but for those from `open` on.
    pub excluded: Vec<Excluded>,
    /// The smallest volume, greater than that of the optimal ortho, that is not excluded; nothing if all are.
    pub open: Option<u64>,
    /// The greatest volume whose orthos were not all compared; what is held of it and of lesser ones exists, but there
    /// may be better ones. Nothing if all that matter were compared.
    pub unranked: Option<u64>,
}

impl Proof {
    /// Whether nothing is left open.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.open.is_none() && self.unranked.is_none()
    }
}

/// A shape that no ortho of the text has inside; nor has any a shape that is at least as long along each axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Excluded {
    /// The shape.
    pub shape: Shape,
    /// Its volume.
    pub volume: u64,
}

/// The optimal ortho.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Optimal {
    /// Its dimensions.
    pub dims: Dims,
    /// Product of the dimensions, each less 1.
    pub volume: u64,
    /// The number of cells.
    pub fullness: u64,
    /// Its words in canonical cell order.
    pub words: Vec<String>,
}

impl Optimal {
    /// An ortho with the words of its tokens; a token that is none of the interner's becomes an empty word.
    #[must_use]
    pub fn of(ortho: &Ortho, interner: &Interner) -> Self {
        let word = |&token: &Token| interner.vocabulary().get(token).unwrap_or_default().to_owned();
        Self::new(ortho.dims.clone(), ortho.tokens.iter().map(word).collect())
    }

    /// An ortho with its values.
    #[must_use]
    pub fn new(dims: Dims, words: Vec<String>) -> Self {
        Self { volume: volume(&dims), fullness: fullness(&dims), dims, words }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileInfo {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// How an archive was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchInfo {
    /// How long it took.
    pub elapsed_seconds: f64,
    /// The number of threads.
    pub threads: u64,
    /// The budget of memory in bytes.
    pub memory: u64,
}

/// What every version of the format has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    format: String,
    format_version: u64,
}

/// The version a text claims to be of, if it is a manifest of an archive at all.
pub(super) fn claimed_version(json: &[u8]) -> Option<u64> {
    let kind: Kind = serde_json::from_slice(json).ok()?;
    (kind.format == FORMAT).then_some(kind.format_version)
}

/// The error for an archive of a later version.
pub(super) fn newer(name: &str, version: u64) -> Error {
    Error::new(
        Code::NewerFormat,
        format!(
            "{name} is an archive of format version {version} and this program reads up to version {FORMAT_VERSION}; \
             use a newer fold-worker"
        ),
    )
}

impl Manifest {
    /// The bytes of `manifest.json`.
    ///
    /// # Errors
    /// [`Code::Internal`]: none of its fields can fail.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self).map_err(|cause| {
            Error::new(Code::Internal, format!("writing the manifest as JSON failed: {cause}")).because(cause)
        })?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads the bytes of a `manifest.json`, called `name` in errors.
    ///
    /// # Errors
    /// [`Code::NotAnArchive`] if it is something else, [`Code::NewerFormat`], or [`Code::Damaged`] if it contradicts
    /// itself.
    pub fn from_json(name: &str, json: &[u8]) -> Result<Self> {
        match claimed_version(json) {
            None => {
                return Err(Error::new(
                    Code::NotAnArchive,
                    format!(
                        "{name} is not the manifest of an archive: it does not say \"format\": \"{FORMAT}\""
                    ),
                ));
            }
            Some(version) if version > FORMAT_VERSION => return Err(newer(name, version)),
            Some(_) => {}
        }
        let damaged = |what: String| Error::new(Code::Damaged, format!("{name} is damaged: {what}"));
        let manifest: Self = serde_json::from_slice(json).map_err(|cause| damaged(cause.to_string()))?;
        manifest.check().map_err(damaged)?;
        Ok(manifest)
    }

    /// The length of all files together.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).fold(0, u64::saturating_add)
    }

    fn check(&self) -> std::result::Result<(), String> {
        if self.format_version == 0 {
            return Err("its format version is 0; the first is 1".to_owned());
        }
        let total = self.shapes.total();
        if total != self.ortho_count {
            return Err(format!("orthoCount is {} and the shapes have {total}", self.ortho_count));
        }
        if self.optimal.is_some() != (self.ortho_count > 0) {
            let found = if self.optimal.is_some() { "an" } else { "no" };
            return Err(format!("it has {} orthos and {found} optimal one", self.ortho_count));
        }
        if let Some(optimal) = &self.optimal {
            check_optimal(optimal, &self.shapes)?;
        }
        if (self.goal == Goal::Optimal) != self.proof.is_some() {
            let found = if self.proof.is_some() { "a" } else { "no" };
            return Err(format!("its goal is {:?} and it has {found} proof", self.goal.name()));
        }
        if let Some(proof) = &self.proof {
            check_proof(proof, self)?;
        }
        let inputs = self.input.iter().map(|input| &input.sha256);
        let digests =
            self.files.values().map(|file| &file.sha256).chain(inputs).chain([&self.content_digest]);
        if let Some(wrong) = digests.into_iter().find(|digest| !is_digest(digest)) {
            return Err(format!("{wrong:?} is no SHA-256: expected 64 of 0-9a-f"));
        }
        if let Some(path) = self.files.keys().find(|path| !is_inside(path)) {
            return Err(format!("{path:?} is no path of a file inside the archive"));
        }
        let results = self.result_bytes();
        if results != self.bytes {
            return Err(format!("bytes is {} and the files in results/ have {results}", self.bytes));
        }
        Ok(())
    }

    /// The sum of the lengths of the files in `results/`.
    pub(super) fn result_bytes(&self) -> u64 {
        let results = self.files.iter().filter(|(path, _)| path.starts_with("results/"));
        results.fold(0, |sum, (_, file)| sum.saturating_add(file.bytes))
    }
}

fn check_optimal(optimal: &Optimal, shapes: &ShapeCounts) -> std::result::Result<(), String> {
    let shape = Shape::new(optimal.dims.clone())
        .ok_or_else(|| format!("the optimal ortho has dimensions {:?}", optimal.dims))?;
    let (volume, fullness) = (volume(&optimal.dims), fullness(&optimal.dims));
    if (optimal.volume, optimal.fullness) != (volume, fullness) {
        return Err(format!(
            "the optimal ortho has volume {volume} and fullness {fullness}, not those it says"
        ));
    }
    if optimal.words.len() as u64 != fullness {
        return Err(format!("the optimal ortho has {} words for {fullness} cells", optimal.words.len()));
    }
    if shapes.get(&shape) == 0 {
        return Err(format!("the optimal ortho is a {shape} and there is none of this shape"));
    }
    Ok(())
}

fn check_proof(proof: &Proof, manifest: &Manifest) -> std::result::Result<(), String> {
    if manifest.complete || !manifest.shards.is_empty() {
        return Err("it is of a search for the optimum and claims to hold all orthos or shards".to_owned());
    }
    if manifest.ortho_count > proof.top {
        return Err(format!("it holds {} orthos and {} were wanted", manifest.ortho_count, proof.top));
    }
    if proof.is_whole() != manifest.limits.is_empty() {
        return Err("a proof is whole exactly if no limit ended its search".to_owned());
    }
    match proof.excluded.iter().find(|excluded| excluded.volume != volume(excluded.shape.dims())) {
        Some(wrong) => Err(format!("{} is excluded with the wrong volume {}", wrong.shape, wrong.volume)),
        None => Ok(()),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether the path stays inside the archive on every platform, and one line of `SHA256SUMS` can hold it as it is.
fn is_inside(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn example() -> Manifest {
        Manifest {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            program: PROGRAM.to_owned(),
            input: Some(InputInfo { name: "a".to_owned(), sha256: "0".repeat(64), bytes: 12 }),
            ortho_count: 3,
            shapes: [("2x2", 2), ("2x3", 1)]
                .map(|(s, n)| (s.parse().expect("a shape"), n))
                .into_iter()
                .collect(),
            goal: Goal::All,
            complete: true,
            limits: Vec::new(),
            shards: Vec::new(),
            proof: None,
            optimal: Some(Optimal::new(
                vec![2, 3],
                ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(),
            )),
            content_digest: "a".repeat(64),
            lineage: "\"a\"".to_owned(),
            vocabulary: 6,
            tokenizer: TOKENIZER,
            bytes: 70,
            files: [("interner.bin", 10), ("results/2x2/1.seg", 30), ("results/2x3/1.seg", 40)]
                .map(|(path, bytes)| (path.to_owned(), FileInfo { bytes, sha256: "b".repeat(64) }))
                .into(),
            search: SearchInfo { elapsed_seconds: 0.25, threads: 1, memory: 64 << 20 },
        }
    }

    fn reread(change: impl FnOnce(&mut serde_json::Value)) -> Result<Manifest> {
        let mut json = serde_json::to_value(example()).expect("JSON");
        change(&mut json);
        Manifest::from_json("m", json.to_string().as_bytes())
    }

    #[test]
    fn has_exactly_these_fields() {
        let json = String::from_utf8(example().to_json().expect("JSON")).expect("UTF-8");
        let b = "b".repeat(64);
        let expected = format!(
            r#"{{"format":"fold-archive","formatVersion":2,"program":"fold-worker 0.1.0","input":{{"name":"a","sha256":"{}","bytes":12}},"orthoCount":3,"shapes":{{"2x2":2,"2x3":1}},"goal":"all","complete":true,"limits":[],"shards":[],"proof":null,"optimal":{{"dims":[2,3],"volume":2,"fullness":6,"words":["a","b","c","d","e","f"]}},"contentDigest":"{}","lineage":"\"a\"","vocabulary":6,"tokenizer":1,"bytes":70,"files":{{"interner.bin":{{"bytes":10,"sha256":"{b}"}},"results/2x2/1.seg":{{"bytes":30,"sha256":"{b}"}},"results/2x3/1.seg":{{"bytes":40,"sha256":"{b}"}}}},"search":{{"elapsedSeconds":0.25,"threads":1,"memory":67108864}}}}"#,
            "0".repeat(64),
            "a".repeat(64),
        );
        assert_eq!(
            json.split('\n').map(str::trim_start).collect::<String>().replace("\": ", "\":"),
            expected
        );
        assert_eq!(Manifest::from_json("m", json.as_bytes()).expect("a manifest"), example());
    }

    #[test]
    fn unknown_fields_and_older_versions_are_read_and_newer_versions_are_not() {
        assert_eq!(reread(|json| json["colour"] = "red".into()).expect("a manifest"), example());
        let older = reread(|json| json["formatVersion"] = 1.into()).expect("a manifest");
        assert_eq!(older, Manifest { format_version: 1, ..example() });
        let newer = reread(|json| json["formatVersion"] = 3.into()).expect_err("newer");
        assert_eq!(newer.code(), Code::NewerFormat);
        assert!(newer.to_string().contains("version 3"), "{newer}");
        let newer =
            Manifest::from_json("m", br#"{"format":"fold-archive","formatVersion":9}"#).expect_err("newer");
        assert_eq!(newer.code(), Code::NewerFormat);
    }

    #[test]
    fn contradictions_are_found() {
        type Change = fn(&mut serde_json::Value);
        let changes: [Change; 13] = [
            |json| json["formatVersion"] = 0.into(),
            |json| json["orthoCount"] = 4.into(),
            |json| json["orthoCount"] = (-1).into(),
            |json| json["optimal"] = serde_json::Value::Null,
            |json| json["optimal"]["volume"] = 3.into(),
            |json| json["optimal"]["dims"] = vec![3, 2].into(),
            |json| json["optimal"]["words"] = vec!["a"].into(),
            |json| json["contentDigest"] = "A".repeat(64).into(),
            |json| json["bytes"] = 71.into(),
            |json| json["shapes"] = serde_json::json!({ "3x2": 3 }),
            |json| json["files"]["../up"] = json["files"]["interner.bin"].clone(),
            |json| json["files"]["/top"] = json["files"]["interner.bin"].clone(),
            |json| drop(json.as_object_mut().expect("an object").remove("lineage")),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let error = reread(change).expect_err("a contradiction");
            assert_eq!(error.code(), Code::Damaged, "change {number}: {error}");
        }
        assert_eq!(Manifest::from_json("m", b"{}").expect_err("nothing").code(), Code::NotAnArchive);
        assert_eq!(Manifest::from_json("m", b"").expect_err("nothing").code(), Code::NotAnArchive);
    }
}
