//! The inputs that fuzzing has found, run again without a fuzzer, and changed ones: the same each
//! time, with every assertion and check of arithmetic on.

use std::path::{Path, PathBuf};

use crate::mutate::Pool;
use crate::targets::{TARGETS, Target};

/// Changed inputs for each target.
const CHANGED: u32 = 10_000;

/// The inputs of a target, in a certain order.
fn stored(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 2, "{name} has no inputs");
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// Every target has inputs, and none of them fails.
#[test]
fn what_fuzzing_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut unknown = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(unknown.all(|name| TARGETS.iter().any(|(target, _)| *target == name)));
    for (name, target) in TARGETS {
        for (file, bytes) in stored(name) {
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                panic!("{}", file.display());
            }
        }
    }
}

/// Nor do inputs that are made of them.
fn changed((name, target): &Target) {
    let inputs: Vec<_> = stored(name).into_iter().map(|(_, bytes)| bytes).collect();
    let pool = Pool::of(&inputs);
    for seed in 0..CHANGED {
        let mut bytes = pool.mutate(&inputs[seed as usize % inputs.len()], seed);
        if seed % 4 == 0 {
            bytes = pool.mutate(&bytes, !seed);
        }
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            let file = format!("{}/fuzz-{name}-{seed}", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&file, &bytes).unwrap();
            panic!("{name} fails on {file}");
        }
    }
}

/// Two parts, as there are two cores.
#[test]
fn readers_stand_changed_inputs() {
    TARGETS.iter().filter(|(name, _)| *name != "solve" && *name != "kubernetes").for_each(changed);
}

/// The slower ones.
#[test]
fn slow_readers_stand_changed_inputs() {
    TARGETS.iter().filter(|(name, _)| *name == "solve" || *name == "kubernetes").for_each(changed);
}
