//! `SHA256SUMS`: the SHA-256 of every other file, the manifest's included, in the form that `sha256sum -c` checks.
//!
//! It guards the manifest, and follows from it byte for byte, so a change of either is noticed. This file means the same in
//! every version of the format.

use std::collections::BTreeMap;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::manifest::FileInfo;

/// The file's name.
pub(super) const SUMS_NAME: &str = "SHA256SUMS";
/// The manifest's.
pub(super) const MANIFEST_NAME: &str = "manifest.json";

const BUFFER: usize = 256 << 10;

/// Bytes in hex, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |four: u8| char::from(DIGITS[usize::from(four & 0xf)]);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect()
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The whole file, for a manifest of this SHA-256 that lists these files.
pub(super) fn render(manifest: &str, files: &BTreeMap<String, FileInfo>) -> String {
    let files = files.iter().map(|(path, file)| (path.as_str(), file.sha256.as_str()));
    let lines: BTreeMap<&str, &str> = files.chain([(MANIFEST_NAME, manifest)]).collect();
    lines.into_iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect()
}

/// What the file says about the manifest.
pub(super) fn manifest_sum(sums: &str) -> Option<&str> {
    sums.lines().find_map(|line| line.strip_suffix(MANIFEST_NAME)?.strip_suffix("  "))
}

/// Reads to the end. Gives the length and the SHA-256; `each` sees the size of every piece and may stop the reading.
pub(crate) fn hash_reader(
    reader: &mut dyn Read,
    each: &mut dyn FnMut(usize) -> io::Result<()>,
) -> io::Result<FileInfo> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let got = match reader.read(&mut buffer) {
            Ok(0) => return Ok(FileInfo { bytes, sha256: hex(&hash.finalize()) }),
            Ok(got) => got,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause),
        };
        hash.update(&buffer[..got]);
        bytes += got as u64;
        each(got)?;
    }
}
