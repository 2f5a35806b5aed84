//! The one door to the file system.
//!
//! Everything the core reads or writes goes through a [`Disk`], so that a test can put a failing or a
//! recording one in the place of [`RealDisk`]. Guarantees of [`write_whole`]: the file is there with all
//! its bytes, durable, or it is not there. Cost: one virtual call per buffered read or write.

#[cfg(test)]
pub mod faulty;

use std::fmt::Debug;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// An open file.
pub trait DiskFile: Read + Write + Seek + Send + Debug {
    /// Makes the bytes durable (fsync).
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Fills `out` from `offset`; where the file stands afterwards is not defined.
    fn read_at(&mut self, out: &mut [u8], offset: u64) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.read_exact(out)
    }
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

impl DiskFile for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        fs::File::set_len(self, len)
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    #[cfg(unix)]
    fn read_at(&mut self, out: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, out, offset)
    }
}

/// The operations on files and directories that the core uses.
pub trait Disk: Send + Sync + Debug {
    /// Creates a new file for reading and writing; an existing one is an error.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file for reading.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames within one file system, replacing a file at the target.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames a file or directory to a name that nothing has; anything at the target is an error of the kind
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists). Where the system cannot do both in one step, something
    /// that appears at the target in between may be replaced.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.exists(to) { Err(io::ErrorKind::AlreadyExists.into()) } else { self.rename(from, to) }
    }
    /// Gives a file a second name, which nothing has. Not every file system can.
    fn link(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory and its parents.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and everything in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes renames and creations in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The entries of a directory, sorted by name.
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// Whether something is at the path (links not followed).
    fn exists(&self, path: &Path) -> bool;
    /// Locks a file, which is made if need be, until what is returned is dropped or the process ends, however it ends;
    /// nothing if somebody holds it. Locks tell only who is alive: nothing is protected by them.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>>;
    /// Bytes that this user may still write where the path is, and those there are in all.
    fn space(&self, path: &Path) -> io::Result<Space>;
}

/// A lock that is held.
pub trait Held: Send + Sync + Debug {}

impl Held for fs::File {}

/// The room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written.
    pub free: u64,
    /// What there is in all.
    pub total: u64,
}

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    /// The real disk behind the shared pointer that everything takes.
    #[must_use]
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(fs::OpenOptions::new().read(true).write(true).open(path)?))
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(fs::File::open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        // A plain rename replaces an empty directory without a word, and so would a racing process's.
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems cannot.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                if self.exists(to) {
                    Err(io::ErrorKind::AlreadyExists.into())
                } else {
                    fs::rename(from, to)
                }
            }
            renamed => Ok(renamed?),
        }
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Windows has no handle for directories that can be flushed; its renames are journalled.
        if cfg!(windows) { Ok(()) } else { fs::File::open(path)?.sync_all() }
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
        entries.sort();
        Ok(entries)
    }
    fn exists(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(cause)) => Err(cause),
        }
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        let stats = fs4::statvfs(path)?;
        Ok(Space { free: stats.available_space(), total: stats.total_space() })
    }
}

/// Writes `bytes` to `path` whole or not at all: temporary name beside it, fsync, rename, fsync of the directory.
///
/// # Errors
/// [`Code::DiskFull`](crate::Code::DiskFull), [`Code::NotWritable`](crate::Code::NotWritable) or
/// [`Code::Io`](crate::Code::Io), with the path; the temporary file is removed.
pub fn write_whole(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let attempt = || -> io::Result<()> {
        if disk.exists(&temporary) {
            disk.remove_file(&temporary)?;
        }
        let mut file = disk.create_new(&temporary)?;
        file.write_all(bytes)?;
        file.sync()?;
        drop(file);
        disk.rename(&temporary, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => disk.sync_dir(parent),
            _ => Ok(()),
        }
    };
    attempt().map_err(|cause| {
        // The first failure is the one worth reporting; a leftover is overwritten next time.
        let _ = disk.remove_file(&temporary);
        Error::io("writing", path, cause)
    })
}
