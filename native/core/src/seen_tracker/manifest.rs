//! The manifest: which runs the set consists of. It is replaced whole, after the runs it names are durable.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::run::{Entry, VERSION};
use crate::disk::{Disk, write_whole};
use crate::error::{Code, Error, Result};
use crate::header::{Format, crc_holds, u32_at, u64_at};

const MANIFEST: Format = Format { magic: *b"FOLDSMAN", version: VERSION, called: "format" };
const HEAD_LEN: usize = 24;
const ENTRY_LEN: usize = 24;

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("manifest")
}

/// Makes `runs` the durable set.
pub(super) fn write(disk: &dyn Disk, directory: &Path, runs: &[Entry]) -> Result<()> {
    let mut bytes = Vec::with_capacity(HEAD_LEN + runs.len() * ENTRY_LEN + 4);
    bytes.extend_from_slice(&MANIFEST.opening());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(runs.len() as u64).to_le_bytes());
    for run in runs {
        bytes.extend_from_slice(&run.id.to_le_bytes());
        bytes.extend_from_slice(&run.count.to_le_bytes());
        bytes.extend_from_slice(&run.crc.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    write_whole(disk, &path(directory), &bytes)
}

/// The durable set; empty if there is none.
///
/// # Errors
/// [`Code::Damaged`] or [`Code::NewerFormat`], naming the file.
pub(super) fn read(disk: &dyn Disk, directory: &Path) -> Result<Vec<Entry>> {
    let path = path(directory);
    if !disk.exists(&path) {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    disk.open_read(&path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(|cause| Error::io("reading", &path, cause))?;
    let damaged = || {
        Error::new(
            Code::Damaged,
            format!(
                "{} fails its checksum; the set of what was seen is lost, start again without it",
                path.display()
            ),
        )
    };
    let body = &bytes[..bytes.len().saturating_sub(4)];
    if body.len() < HEAD_LEN || !crc_holds(&bytes, body.len()) {
        return Err(damaged());
    }
    let known = MANIFEST.opens(body, &path.display().to_string())?;
    let entries = &body[HEAD_LEN..];
    if !known || entries.len() as u64 != u64_at(body, 16).wrapping_mul(ENTRY_LEN as u64) {
        return Err(damaged());
    }
    Ok(entries
        .chunks_exact(ENTRY_LEN)
        .map(|raw| Entry { id: u64_at(raw, 0), count: u64_at(raw, 8), crc: u32_at(raw, 16) })
        .collect())
}
