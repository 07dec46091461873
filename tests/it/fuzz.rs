//! The inputs that fuzzing has found, run again without a fuzzer.

use std::path::Path;

use crate::targets::TARGETS;

/// Every target has inputs, and none of them fails.
#[test]
fn what_fuzzing_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut unknown = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(unknown.all(|name| TARGETS.iter().any(|(target, _)| *target == name)));
    for (name, target) in TARGETS {
        let files = std::fs::read_dir(folder.join(name)).unwrap();
        let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() > 2, "{name} has no inputs");
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                panic!("{}", file.display());
            }
        }
    }
}
