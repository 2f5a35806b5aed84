//! The one error type of the core.
//!
//! An error carries a stable [`Code`] (what scripts branch on), a sentence for people (what was expected,
//! what was found, what to do) and the chain of causes. Nothing in the core panics on outside input.

use std::fmt;
use std::io;
use std::path::Path;

/// What went wrong, as a name that never changes meaning. The README lists them with their exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// An argument is out of its range or of the wrong form.
    InvalidArgument,
    /// An input does not exist.
    InputNotFound,
    /// An input exists but cannot be read: permissions, a directory, a device error.
    InputUnreadable,
    /// An input is not UTF-8; the message names the byte offset.
    InputNotUtf8,
    /// An input is larger than the stated maximum.
    InputTooLarge,
    /// The place to write to is already taken.
    OutputExists,
    /// The file system is full.
    DiskFull,
    /// The file system or directory may not be written.
    NotWritable,
    /// Any other failure of the operating system.
    Io,
    /// A path does not hold an archive at all.
    NotAnArchive,
    /// A stored file fails its checksum, is cut short or contradicts its manifest.
    Damaged,
    /// A stored file was written by a newer version of the format.
    NewerFormat,
    /// An archive was made by another version of the rules that cut a text into words.
    TokenizerDiffers,
    /// Archives that are to be merged were searched for different things.
    GoalsDiffer,
    /// The memory budget cannot hold what is needed; the message says how much would do.
    MemoryTooSmall,
    /// A limit ended a search early; what it found is kept.
    LimitReached,
    /// The caller asked to stop.
    Cancelled,
    /// A queue or tracker was used after it was closed.
    Closed,
    /// A defect of this program.
    Internal,
}

impl Code {
    /// The name as scripts see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::InputNotFound => "INPUT_NOT_FOUND",
            Self::InputUnreadable => "INPUT_UNREADABLE",
            Self::InputNotUtf8 => "INPUT_NOT_UTF8",
            Self::InputTooLarge => "INPUT_TOO_LARGE",
            Self::OutputExists => "OUTPUT_EXISTS",
            Self::DiskFull => "DISK_FULL",
            Self::NotWritable => "NOT_WRITABLE",
            Self::Io => "IO",
            Self::NotAnArchive => "NOT_AN_ARCHIVE",
            Self::Damaged => "DAMAGED",
            Self::NewerFormat => "NEWER_FORMAT",
            Self::TokenizerDiffers => "TOKENIZER_DIFFERS",
            Self::GoalsDiffer => "GOALS_DIFFER",
            Self::MemoryTooSmall => "MEMORY_TOO_SMALL",
            Self::LimitReached => "LIMIT_REACHED",
            Self::Cancelled => "CANCELLED",
            Self::Closed => "CLOSED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// The error of every fallible function of the core.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    shortfall: Option<Shortfall>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Memory that is missing, so that whoever set the budget can say it in their own figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// What needs it.
    pub what: String,
    /// Bytes that would do.
    pub needed: u64,
    /// Bytes that there are.
    pub budget: u64,
}

/// Short for a result with the core's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with no cause below it.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), shortfall: None, source: None }
    }

    /// The same error with the cause that led to it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// [`Code::MemoryTooSmall`] for something that needs so many bytes and has so many.
    #[must_use]
    pub fn memory_too_small(what: impl Into<String>, needed: u64, budget: u64) -> Self {
        let what = what.into();
        let (mib, has) = (needed.div_ceil(1 << 20), budget >> 20);
        let message =
            format!("{what} needs about {mib} MiB of memory and the budget is {has} MiB; raise the budget");
        let shortfall = Some(Shortfall { what, needed, budget });
        Self { shortfall, ..Self::new(Code::MemoryTooSmall, message) }
    }

    /// The memory that is missing, if that is what went wrong.
    #[must_use]
    pub fn shortfall(&self) -> Option<&Shortfall> {
        self.shortfall.as_ref()
    }

    /// A failure of the operating system while doing `what` (such as "writing") to `path`.
    #[must_use]
    pub fn io(what: &str, path: &Path, cause: io::Error) -> Self {
        let (code, hint) = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (Code::DiskFull, "; free some space and start again, nothing was lost")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                (Code::NotWritable, "; check the permissions or choose another place")
            }
            _ => (Code::Io, ""),
        };
        Self::new(code, format!("{what} {} failed: {cause}{hint}", path.display())).because(cause)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| &**s as &(dyn std::error::Error + 'static))
    }
}
