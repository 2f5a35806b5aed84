//! Whatever is changed in an archive is found and named.

use super::*;
use crate::archive::sums::{render, sha256};
use crate::disk::faulty::FaultyDisk;
use proptest::prelude::*;

const TARGET: &str = "/archives/a.bin";

fn archive() -> FaultyDisk {
    let disk = FaultyDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let orthos = brute_force::orthos(&index(TEXT));
    write_archive(TEXT, &orthos, Path::new(TARGET), &shared).expect("an archive");
    disk
}

/// What opening and verifying say, with the files they name.
fn findings(disk: FaultyDisk) -> (Option<Code>, String) {
    let disk: Arc<dyn Disk> = Arc::new(disk);
    let opened = ArchiveReader::open(Path::new(TARGET), Arc::clone(&disk)).map(drop);
    let mut said = String::new();
    let mut code = None;
    if let Err(error) = opened {
        said.push_str(&error.to_string());
        code = Some(error.code());
    }
    match check(Path::new(TARGET), Path::new("/scratch"), &disk) {
        Ok(report) => {
            for problem in &report.problems {
                said.push_str(&format!("\n{:?}: {}", problem.file, problem.message));
            }
            assert_eq!(report.is_sound(), report.problems.is_empty());
            if code.is_some() {
                assert!(!report.is_sound(), "opening found more than verifying: {said}");
            }
        }
        Err(error) => {
            said.push_str(&error.to_string());
            code = Some(error.code());
        }
    }
    (code, said)
}

/// The manifest and its guard cannot be told apart when they disagree.
fn names(said: &str, file: &str) -> bool {
    said.contains(file) || (["manifest.json", "SHA256SUMS"].contains(&file) && said.contains("manifest.json"))
}

#[test]
fn an_untouched_archive_is_sound() {
    assert_eq!(findings(archive()), (None, String::new()));
}

#[test]
fn every_file_counts() {
    let disk = archive();
    for path in disk.files() {
        let name = path.strip_prefix(TARGET).expect("in the archive").to_string_lossy().into_owned();
        let copy = disk.copy();
        copy.remove_file(&path).expect("removed");
        let (code, said) = findings(copy);
        assert!(names(&said, &name), "{name} missing: {said}");
        assert_eq!(code, Some(Code::Damaged), "{name} missing: {said}");
        let copy = disk.copy();
        copy.edit(&path, |bytes| bytes.push(0));
        assert!(names(&findings(copy).1, &name), "{name} with a byte more");
        let copy = disk.copy();
        copy.edit(&path, Vec::clear);
        assert!(names(&findings(copy).1, &name), "{name} empty");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_change_is_found(file in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), bit in 0_u8..8, cut: bool) {
        // One archive for all cases would need a lock; making it costs a millisecond.
        let disk = archive();
        let files = disk.files();
        let path = file.get(&files);
        let name = path.strip_prefix(TARGET).expect("in the archive").to_string_lossy().into_owned();
        disk.edit(path, |bytes| {
            let at = place.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1_u8 << bit;
            }
        });
        let (_, said) = findings(disk);
        prop_assert!(names(&said, &name), "{} at {:?}, cut {}: {}", name, place, cut, said);
    }
}

#[test]
fn strangers_are_named() {
    let disk = archive();
    for stranger in ["note.txt", "results/note.txt", "results/2x2/zzz", "results/2x9/1.seg", "more/deep/file"]
    {
        let copy = disk.copy();
        let path = Path::new(TARGET).join(stranger);
        copy.create_new(&path).expect("made");
        let top = if stranger.starts_with("more") { "more" } else { stranger };
        let top = if stranger.starts_with("results/2x9") { "results/2x9" } else { top };
        let (_, said) = findings(copy);
        assert!(said.contains(top), "{stranger}: {said}");
    }
}

/// Replaces the manifest, with a `SHA256SUMS` that agrees.
fn rewrite(disk: &FaultyDisk, change: impl FnOnce(&mut serde_json::Value)) {
    let path = Path::new(TARGET).join("manifest.json");
    let json = disk.bytes(&path).expect("a manifest");
    let files = Manifest::from_json("m", &json).expect("a manifest").files;
    let mut value: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    change(&mut value);
    let json = value.to_string().into_bytes();
    let sums = render(&sha256(&json), &files);
    disk.edit(&path, |bytes| *bytes = json);
    disk.edit(&Path::new(TARGET).join("SHA256SUMS"), |bytes| *bytes = sums.into_bytes());
}

/// Version 1 is version 2 without turned records.
#[test]
fn an_archive_of_the_first_version_is_read() {
    let disk = archive();
    rewrite(&disk, |json| json["formatVersion"] = 1.into());
    let (code, said) = findings(disk);
    assert_eq!(code, None, "{said}");
}

#[test]
fn a_newer_archive_is_called_newer() {
    let disk = archive();
    rewrite(&disk, |json| json["formatVersion"] = 3.into());
    let (code, said) = findings(disk.copy());
    assert_eq!(code, Some(Code::NewerFormat), "{said}");
    disk.remove_file(&Path::new(TARGET).join("SHA256SUMS")).expect("removed");
    assert_eq!(findings(disk).0, Some(Code::NewerFormat), "also if it is guarded in another way");
}

#[test]
fn an_archive_of_another_program_of_this_version_is_read() {
    let disk = archive();
    rewrite(&disk, |json| {
        json["program"] = "fold-worker 0.9.0".into();
        json["colour"] = "red".into();
    });
    assert_eq!(findings(disk), (None, String::new()));
}

#[test]
fn wrong_numbers_in_the_manifest_are_found() {
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 4] = [
        ("content digest", |json| json["contentDigest"] = "0".repeat(64).into()),
        ("optimal ortho", |json| json["optimal"]["words"][0] = "b".into()),
        ("of shape 2x2,", |json| {
            json["shapes"]["2x2"] = (json["shapes"]["2x2"].as_u64().expect("a number") + 1).into();
            json["orthoCount"] = (json["orthoCount"].as_u64().expect("a number") + 1).into();
        }),
        ("lineage", |json| json["lineage"] = "(\"a\"".into()),
    ];
    for (expected, change) in changes {
        let disk = archive();
        rewrite(&disk, change);
        let (_, said) = findings(disk);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn orthos_that_are_none_or_there_twice_are_found() {
    let good = brute_force::orthos(&index(TEXT));
    let write = |orthos: &[Ortho]| {
        let disk = FaultyDisk::default();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        write_archive(TEXT, orthos, Path::new(TARGET), &shared).expect("an archive");
        findings(disk).1
    };
    let mut twice = good.clone();
    twice.push(good[0].clone());
    let said = write(&twice);
    assert!(said.contains("was there before"), "{said}");

    let mut wrong = good.clone();
    wrong[0].tokens.swap(0, 3);
    let said = write(&wrong);
    assert!(said.contains("is no phrase of the text"), "{said}");

    let many = vec![good[0].clone(); 50];
    let said = write(&many);
    assert_eq!(said.matches("was there before").count(), super::super::verify::LISTED as usize);
    assert!(said.contains("29 more orthos were there before"), "{said}");
}
