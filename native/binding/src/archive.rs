//! Reading archives.

use std::path::Path;
use std::sync::Arc;

use fold_core::archive::survey::{SurveyOptions, survey};
use fold_core::archive::verify::{VerifyOptions, verify};
use fold_core::archive::{ArchiveReader, Filter, Orthos, Shape};
use fold_core::disk::RealDisk;
use fold_core::text::{self, PhraseIndex};
use fold_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;
use serde_json::json;

use crate::background::{Background, background};
use crate::interner::Interner;
use crate::long::{self, Control, long};
use crate::shared::Shared;

/// An open archive. Shared between threads, as it never changes.
#[napi]
pub struct Archive {
    reader: Arc<ArchiveReader>,
}

/// Opens an archive directory.
#[napi(ts_return_type = "Promise<Archive>")]
pub fn open_archive(path: String) -> AsyncTask<Background<Archive>> {
    background(move || {
        Ok(Archive { reader: Arc::new(ArchiveReader::open(Path::new(&path), RealDisk::shared())?) })
    })
}

/// Checks everything in an archive; resolves to a report as JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn verify_archive<'env>(
    env: &'env Env,
    path: String,
    scratch: String,
    memory: i64,
    control: &Control,
) -> Result<Object<'env>> {
    let options = VerifyOptions { scratch: scratch.into(), memory: u64::try_from(memory).unwrap_or(0) };
    long(env, control, move |control| {
        let report = verify(Path::new(&path), &options, control, &RealDisk::shared())?;
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|problem| json!({ "file": problem.file, "message": problem.message }))
            .collect();
        Ok(json!({ "files": report.files, "bytes": report.bytes, "orthos": report.orthos, "problems": problems })
            .to_string())
    })
}

/// How much of an archive to look at.
#[napi(object)]
pub struct SurveyRequest {
    /// Orthos that are expanded at most.
    pub read: f64,
    /// Orthos of each shape to give.
    pub show: u32,
    /// Words to give.
    pub words: u32,
    /// Shapes to look into.
    pub shapes: u32,
    /// Files of texts, to tell which of them have an ortho by themselves.
    pub texts: Vec<String>,
}

/// Counts words and origins and takes a sample; resolves to a survey as JSON.
#[napi(ts_return_type = "Promise<string>")]
pub fn survey_archive<'env>(
    env: &'env Env,
    archive: &Archive,
    request: SurveyRequest,
    control: &Control,
) -> Result<Object<'env>> {
    let reader = Arc::clone(&archive.reader);
    let SurveyRequest { read, show, words, shapes, texts } = request;
    long(env, control, move |control| {
        let mut indexes = vec![];
        for path in texts {
            control.check()?;
            let mut file = open_text(&path)?;
            indexes.push(Arc::new(PhraseIndex::build(Arc::new(text::Interner::from_reader(
                &path, &mut file,
            )?))?));
        }
        let options = SurveyOptions {
            // A float as JavaScript has it; past the range it saturates.
            read: read as u64,
            show: show as usize,
            words: words as usize,
            shapes: shapes as usize,
            texts: indexes,
        };
        long::json(&survey(&reader, &options, control)?)
    })
}

/// Opens a text to be read.
pub(crate) fn open_text(path: &str) -> fold_core::Result<std::fs::File> {
    std::fs::File::open(path).map_err(|cause| {
        let code = match cause.kind() {
            std::io::ErrorKind::NotFound => Code::InputNotFound,
            _ => Code::InputUnreadable,
        };
        Error::new(code, format!("the text {path} cannot be opened: {cause}")).because(cause)
    })
}

#[napi]
impl Archive {
    /// The manifest as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn manifest(&self) -> AsyncTask<Background<String>> {
        let reader = Arc::clone(&self.reader);
        background(move || long::json(reader.manifest()))
    }

    /// A cursor over the orthos of a shape, with a word, or both.
    #[napi(ts_return_type = "Promise<OrthoCursor>")]
    #[must_use]
    pub fn orthos(
        &self,
        shape: Option<Vec<u32>>,
        word: Option<String>,
    ) -> AsyncTask<Background<OrthoCursor>> {
        let reader = Arc::clone(&self.reader);
        background(move || {
            let shape = shape.map(|dims| {
                Shape::new(dims).ok_or_else(|| {
                    Error::new(
                        Code::InvalidArgument,
                        "a shape has two or more ascending lengths of at least 2",
                    )
                })
            });
            let filter = Filter { shape: shape.transpose()?, word, limit: None };
            Ok(OrthoCursor { orthos: Shared::new(reader.orthos(&filter)?) })
        })
    }

    /// The words and phrases.
    #[napi(ts_return_type = "Promise<Interner>")]
    #[must_use]
    pub fn interner(&self) -> AsyncTask<Background<Interner>> {
        let reader = Arc::clone(&self.reader);
        background(move || Interner::index(Arc::clone(reader.interner())))
    }
}

/// A reader of orthos.
#[napi]
pub struct OrthoCursor {
    orthos: Shared<Orthos>,
}

#[napi]
impl OrthoCursor {
    /// The next whole lines, about so many bytes of them at most, perhaps none; null at the end.
    #[napi(ts_return_type = "Promise<Uint8Array | null>")]
    #[must_use]
    pub fn next_text(&self, max_bytes: u32) -> AsyncTask<Background<Option<Uint8Array>>> {
        let orthos = self.orthos.clone();
        background(move || {
            orthos.with(|orthos| {
                let mut text = Vec::new();
                Ok(orthos.next_text(max_bytes as usize, &mut text)?.then(|| text.into()))
            })
        })
    }
}
