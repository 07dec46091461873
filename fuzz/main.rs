//! `FUZZ_TARGET=NAME fuzz [OPTION OF LIBFUZZER]... [FOLDER]...`: gives a reader inputs that cover it.
//! The first folder gets what covers more; without a target the names of all are printed.

#[path = "../tests/it/brute.rs"]
mod brute;
#[path = "../tests/it/mutate.rs"]
mod mutate;
#[path = "../tests/it/targets.rs"]
mod targets;

use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
static POOL: OnceLock<mutate::Pool> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        target(bytes);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    let pool = POOL.get_or_init(mutate::Pool::default);
    match seed % 3 {
        0 => fuzzer_mutate(data, size, most),
        _ => {
            let made = pool.mutate(&data[..size], seed / 3);
            let size = made.len().min(most);
            data[..size].copy_from_slice(&made[..size]);
            size
        }
    }
});

unsafe extern "C" {
    fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> c_int;
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        target: unsafe extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

fn main() {
    // Not an argument: libFuzzer runs itself again with its own, to merge for example.
    let asked = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some((_, target)) = targets::TARGETS.iter().find(|(name, _)| *name == asked) else {
        targets::TARGETS.iter().for_each(|(name, _)| println!("{name}"));
        std::process::exit(if asked.is_empty() { 0 } else { 2 });
    };
    TARGET.get_or_init(|| *target);
    let words: Vec<String> = std::env::args().collect();
    // What files of the folders consist of is what others are made of.
    let folders = words.iter().skip(1).filter(|word| !word.starts_with('-'));
    let inputs = folders.flat_map(|folder| Path::new(folder).read_dir()).flatten().flatten();
    let inputs: Vec<_> = inputs.flat_map(|entry| std::fs::read(entry.path())).collect();
    POOL.get_or_init(|| mutate::Pool::of(&inputs));
    let words: Vec<CString> =
        words.into_iter().filter_map(|word| CString::new(word).ok()).collect();
    let mut pointers: Vec<*mut c_char> =
        words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    let mut count = pointers.len() as c_int;
    pointers.push(std::ptr::null_mut());
    let mut arguments = pointers.as_mut_ptr();
    let code = unsafe { LLVMFuzzerRunDriver(&mut count, &mut arguments, LLVMFuzzerTestOneInput) };
    std::process::exit(code);
}
