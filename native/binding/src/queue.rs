//! The disk-backed queue.

use std::path::Path;

use fold_core::disk_backed_queue::{DiskBackedQueue, Iter, QueueOptions};
use fold_core::{Code, Error};
use napi::bindgen_prelude::{AsyncTask, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::background::{Background, background};
use crate::counted::{Counted, Length};
use crate::shared::Shared;

/// Records in one piece of memory: far fewer objects to pass than one for each.
#[napi(object)]
pub struct Records {
    /// All records, one after the other.
    pub bytes: Uint8Array,
    /// The length of each.
    pub lengths: Uint32Array,
}

/// Something that was found damaged.
#[napi(object)]
pub struct QueueDamage {
    /// The file, by the name it has now.
    pub file: String,
    /// What is wrong and what was done.
    pub what: String,
    /// Records that are lost, where that can be told.
    pub lost_records: Option<i64>,
}

/// An open queue.
#[napi]
pub struct Queue {
    queue: Counted<DiskBackedQueue>,
}

/// Opens the queue in a directory; `memory` is for its buffer.
#[napi(ts_return_type = "Promise<Queue>")]
pub fn open_queue(directory: String, memory: i64) -> AsyncTask<Background<Queue>> {
    background(move || {
        let buffer_bytes = usize::try_from(memory).unwrap_or(usize::MAX);
        let options = QueueOptions { buffer_bytes, ..QueueOptions::default() };
        let queue = DiskBackedQueue::open(Path::new(&directory), options)?;
        Ok(Queue { queue: Counted::new(queue) })
    })
}

impl Length for DiskBackedQueue {
    fn length(&self) -> u64 {
        self.len()
    }
}

#[napi]
impl Queue {
    /// The number of records.
    #[napi(getter)]
    #[must_use]
    pub fn length(&self) -> i64 {
        self.queue.length()
    }

    /// Adds records at the end.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn push(&self, records: Records) -> AsyncTask<Background<()>> {
        self.queue.run(move |queue| queue.push_batch(slices(&records)?))
    }

    /// Takes records from the front.
    #[napi(ts_return_type = "Promise<Records>")]
    #[must_use]
    pub fn pop(&self, max_records: u32, max_bytes: u32) -> AsyncTask<Background<Records>> {
        self.queue.run(move |queue| {
            let batch = queue.pop_batch(max_records as usize, max_bytes.into())?;
            let mut records = Packed::default();
            batch.iter().for_each(|record| records.add(record));
            Ok(records.into_js())
        })
    }

    /// A cursor over the records as they are now.
    #[napi(ts_return_type = "Promise<QueueCursor>")]
    #[must_use]
    pub fn iter(&self) -> AsyncTask<Background<QueueCursor>> {
        self.queue.run(|queue| {
            Ok(QueueCursor { cursor: Shared::new(Cursor { records: queue.iter()?, failure: None }) })
        })
    }

    /// What has been found damaged since the queue was opened.
    #[napi(ts_return_type = "Promise<QueueDamage[]>")]
    #[must_use]
    pub fn damage(&self) -> AsyncTask<Background<Vec<QueueDamage>>> {
        self.queue.run(|queue| {
            Ok(queue
                .damage()
                .iter()
                .map(|damage| QueueDamage {
                    file: damage.file.display().to_string(),
                    what: damage.what.clone(),
                    lost_records: damage.lost_records.map(|records| records as i64),
                })
                .collect())
        })
    }

    /// Makes everything durable.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn flush(&self) -> AsyncTask<Background<()>> {
        self.queue.run(DiskBackedQueue::flush)
    }

    /// Flushes and lets go of the files.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn close(&self) -> AsyncTask<Background<()>> {
        self.queue.run(DiskBackedQueue::close)
    }
}

/// A reader of a queue that takes nothing from it.
#[napi]
pub struct QueueCursor {
    cursor: Shared<Cursor>,
}

struct Cursor {
    records: Iter,
    /// What came up behind the records of the last batch; told by the next call.
    failure: Option<Error>,
}

#[napi]
impl QueueCursor {
    /// The next records; none at the end. An error is told once, and the call after it goes on behind it.
    #[napi(ts_return_type = "Promise<Records>")]
    #[must_use]
    pub fn next(&self, max_records: u32, max_bytes: u32) -> AsyncTask<Background<Records>> {
        let cursor = self.cursor.clone();
        background(move || {
            cursor.with(|cursor| {
                if let Some(failure) = cursor.failure.take() {
                    return Err(failure);
                }
                let mut records = Packed::default();
                while records.lengths.len() < max_records as usize && records.bytes.len() < max_bytes as usize
                {
                    match cursor.records.next_record() {
                        Ok(Some(record)) => records.add(record),
                        Ok(None) => break,
                        Err(failure) if records.lengths.is_empty() => return Err(failure),
                        Err(failure) => {
                            cursor.failure = Some(failure);
                            break;
                        }
                    }
                }
                Ok(records.into_js())
            })
        })
    }
}

/// Records on their way to JavaScript.
#[derive(Default)]
struct Packed {
    bytes: Vec<u8>,
    lengths: Vec<u32>,
}

impl Packed {
    fn add(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        // A record is shorter than 4 GiB.
        self.lengths.push(record.len() as u32);
    }

    fn into_js(self) -> Records {
        Records { bytes: self.bytes.into(), lengths: self.lengths.into() }
    }
}

/// The records that JavaScript has packed.
fn slices(records: &Records) -> fold_core::Result<Vec<&[u8]>> {
    let mut rest: &[u8] = &records.bytes;
    records
        .lengths
        .iter()
        .map(|&length| {
            let (record, after) = rest.split_at_checked(length as usize).ok_or_else(|| {
                Error::new(Code::InvalidArgument, "the lengths of the records exceed their bytes")
            })?;
            rest = after;
            Ok(record)
        })
        .collect()
}
