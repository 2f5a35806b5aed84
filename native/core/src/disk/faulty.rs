//! A disk in memory for tests: it fails at a chosen operation, and it can crash.
//!
//! It keeps what a program sees (live) apart from what would be there after a power cut (durable): bytes become
//! durable by `sync`, names by `sync_dir`. [`FaultyDisk::crash`] drops the rest, or keeps as much of it as a seed says:
//! unsynced writes are kept up to some byte, changes of names up to some change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, Held, Space};

/// How the chosen operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Once: a write stops half way with "no space left", anything else fails with an I/O error.
    Once,
    /// As `Once`, and every operation after it fails too: the machine is gone until [`FaultyDisk::crash`].
    ForEver,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Unsynced changes in order: the offset and bytes written, or the new length.
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Len(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, keep: usize) {
        match self {
            Self::Write(at, data) => {
                let data = &data[..keep.min(data.len())];
                if !data.is_empty() {
                    bytes.resize(bytes.len().max(at + data.len()), 0);
                    bytes[*at..at + data.len()].copy_from_slice(data);
                }
            }
            Self::Len(len) => bytes.resize(*len, 0),
        }
    }
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(PathBuf, usize),
    Remove(PathBuf),
    /// A directory with all that is in it: one change, as for a real file system.
    Move(PathBuf, PathBuf),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Set(path, inode) => drop(names.insert(path.clone(), *inode)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Move(from, to) => {
                let inside: Vec<PathBuf> = names.keys().filter(|p| p.starts_with(from)).cloned().collect();
                for path in inside {
                    if let (Some(inode), Ok(rest)) = (names.remove(&path), path.strip_prefix(from)) {
                        names.insert(to.join(rest), inode);
                    }
                }
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Move(_, path) => path,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    inodes: Vec<Inode>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    gone: bool,
    /// Locks that are held: a crash lets go of those from before it.
    locks: BTreeSet<(u64, PathBuf)>,
    boots: u64,
    space: Option<Space>,
    without_links: bool,
}

#[derive(Debug)]
struct FaultyLock {
    disk: FaultyDisk,
    boots: u64,
    path: PathBuf,
}

impl Held for FaultyLock {}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&(self.boots, std::mem::take(&mut self.path)));
    }
}

impl State {
    fn name(&mut self, change: NameChange) {
        change.apply(&mut self.live);
        self.unsynced_names.push(change);
    }
}

/// See the [module](self). Clones share the same files.
#[derive(Debug, Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<State>>);

/// SplitMix64: enough to choose what a crash keeps.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl FaultyDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The changing operations so far; reads are not counted.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets the changing operation number `in_operations` from now (0: the next) fail.
    pub fn fail(&self, in_operations: u64, fault: Fault) {
        let mut state = self.state();
        let at = state.operations + in_operations;
        state.fault = Some((at, fault));
    }

    /// Says that so much room is left; otherwise there is no end to it.
    pub fn set_space(&self, space: Space) {
        self.state().space = Some(space);
    }

    /// From now on it is a file system without hard links.
    pub fn without_links(&self) {
        self.state().without_links = true;
    }

    /// Takes a planned fault back.
    pub fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.gone = false;
    }

    /// The power goes and comes back. With `seed`, some of what was not durable survives; without, nothing of it.
    pub fn crash(&self, mut seed: Option<u64>) {
        let mut state = self.state();
        let state = &mut *state;
        let mut names = std::mem::take(&mut state.durable);
        let changes = std::mem::take(&mut state.unsynced_names);
        let kept = seed.as_mut().map_or(0, |s| next(s) as usize % (changes.len() + 1));
        changes.iter().take(kept).for_each(|change| change.apply(&mut names));
        for inode in &mut state.inodes {
            let mut bytes = std::mem::take(&mut inode.durable);
            let changes = std::mem::take(&mut inode.unsynced);
            if let Some(seed) = &mut seed {
                let kept = next(seed) as usize % (changes.len() + 1);
                changes.iter().take(kept).for_each(|change| change.apply(&mut bytes, usize::MAX));
                if let Some(Change::Write(at, data)) = changes.get(kept) {
                    let part = next(seed) as usize % (data.len() + 1);
                    Change::Write(*at, data.clone()).apply(&mut bytes, part);
                }
            }
            inode.live.clone_from(&bytes);
            inode.durable = bytes;
        }
        state.live.clone_from(&names);
        state.durable = names;
        state.fault = None;
        state.gone = false;
        state.boots += 1;
    }

    /// Changes a file's bytes behind everybody's back, live and durable.
    pub fn edit(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(&inode) = state.live.get(path) {
            let inode = &mut state.inodes[inode];
            change(&mut inode.live);
            inode.durable.clone_from(&inode.live);
            inode.unsynced.clear();
        }
    }

    /// A file's bytes.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.live.get(path).map(|&inode| state.inodes[inode].live.clone())
    }

    /// All files, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.state().live.keys().cloned().collect()
    }

    /// A second disk with the same live files, all durable.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = self.state();
        let inodes = state
            .inodes
            .iter()
            .map(|inode| Inode {
                live: inode.live.clone(),
                durable: inode.live.clone(),
                unsynced: Vec::new(),
            })
            .collect();
        let copy = State {
            inodes,
            live: state.live.clone(),
            durable: state.live.clone(),
            without_links: state.without_links,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(copy)))
    }

    /// Counts an operation; answers whether it is the one to fail.
    fn count(state: &mut State) -> io::Result<bool> {
        if state.gone {
            return Err(io::Error::other("the machine is gone"));
        }
        let now = state.operations;
        state.operations += 1;
        match state.fault {
            Some((at, fault)) if at == now => {
                state.gone = fault == Fault::ForEver;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn changing(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if Self::count(&mut state)? { Err(io::Error::other("injected failure")) } else { Ok(state) }
    }

    fn file(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let state = self.state();
        if state.gone {
            return Err(io::Error::other("the machine is gone"));
        }
        let inode = *state.live.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Handle { disk: self.clone(), inode, position: 0 }))
    }
}

#[derive(Debug)]
struct Handle {
    disk: FaultyDisk,
    inode: usize,
    position: usize,
}

impl Read for Handle {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        if state.gone {
            return Err(io::Error::other("the machine is gone"));
        }
        let rest = state.inodes[self.inode].live.get(self.position..).unwrap_or_default();
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        self.position += len;
        Ok(len)
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let fails = FaultyDisk::count(&mut state)?;
        let part = if fails { &bytes[..bytes.len() / 2] } else { bytes };
        let change = Change::Write(self.position, part.to_vec());
        let inode = &mut state.inodes[self.inode];
        change.apply(&mut inode.live, usize::MAX);
        inode.unsynced.push(change);
        self.position += part.len();
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(part.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.disk.state().inodes[self.inode].live.len() as i64;
        let position = match to {
            SeekFrom::Start(at) => i64::try_from(at).unwrap_or(i64::MAX),
            SeekFrom::End(by) => len + by,
            SeekFrom::Current(by) => self.position as i64 + by,
        };
        self.position = usize::try_from(position).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.position as u64)
    }
}

impl DiskFile for Handle {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let fails = FaultyDisk::count(&mut state)?;
        let inode = &mut state.inodes[self.inode];
        inode.unsynced.clear();
        if fails {
            // As on Linux: the pages count as clean afterwards although they never reached the disk.
            return Err(io::Error::other("injected failure of fsync"));
        }
        inode.durable.clone_from(&inode.live);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut state = self.disk.changing()?;
        let change = Change::Len(len as usize);
        let inode = &mut state.inodes[self.inode];
        change.apply(&mut inode.live, 0);
        inode.unsynced.push(change);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().inodes[self.inode].live.len() as u64)
    }
}

impl Disk for FaultyDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        {
            let mut state = self.changing()?;
            if state.live.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.name(NameChange::Set(path.to_path_buf(), inode));
        }
        self.file(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path)
    }
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.file(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.changing()?;
        if !state.live.contains_key(from) && state.live.keys().any(|p| p.starts_with(from)) {
            state.name(NameChange::Move(from.to_path_buf(), to.to_path_buf()));
            return Ok(());
        }
        let inode = *state.live.get(from).ok_or(io::ErrorKind::NotFound)?;
        // In this order, a crash between the two leaves both names rather than none.
        state.name(NameChange::Set(to.to_path_buf(), inode));
        state.name(NameChange::Remove(from.to_path_buf()));
        Ok(())
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.changing()?;
        if state.without_links {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if state.live.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = *state.live.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.name(NameChange::Set(to.to_path_buf(), inode));
        Ok(())
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.changing()?;
        if !state.live.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.name(NameChange::Remove(path.to_path_buf()));
        Ok(())
    }
    fn create_dir_all(&self, _path: &Path) -> io::Result<()> {
        self.changing().map(drop)
    }
    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        if !self.exists(path) {
            self.create_new(path)?;
        }
        let mut state = self.state();
        let boots = state.boots;
        if !state.locks.insert((boots, path.to_path_buf())) {
            return Ok(None);
        }
        Ok(Some(Box::new(FaultyLock { disk: self.clone(), boots, path: path.to_path_buf() })))
    }
    fn space(&self, _path: &Path) -> io::Result<Space> {
        Ok(self.state().space.unwrap_or(Space { free: u64::MAX, total: u64::MAX }))
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.changing()?;
        let gone: Vec<_> = state.live.keys().filter(|p| p.starts_with(path)).cloned().collect();
        gone.into_iter().for_each(|p| state.name(NameChange::Remove(p)));
        Ok(())
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.changing()?;
        let changes = std::mem::take(&mut state.unsynced_names);
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|c| c.path().parent() == Some(path));
        here.iter().for_each(|change| change.apply(&mut state.durable));
        state.unsynced_names = elsewhere;
        Ok(())
    }
    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        if state.live.contains_key(path) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        // Directories are there as far as files are in them.
        let child = |file: &PathBuf| Some(path.join(file.strip_prefix(path).ok()?.components().next()?));
        let mut entries: Vec<PathBuf> = state.live.keys().filter_map(child).collect();
        entries.dedup();
        Ok(entries)
    }
    fn exists(&self, path: &Path) -> bool {
        self.state().live.keys().any(|p| p.starts_with(path))
    }
}
