//! Checks of small ELF files, valid and damaged ones.

use super::reader::Elf as Reader;
use super::*;
use crate::packaging::sample::{Elf, elf};
use Architecture::{Arm64, X86_64};
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// The flag in `DT_FLAGS_1` that distinguishes a position-independent executable from a library.
const DF_1_PIE: u64 = 0x0800_0000;

fn refused(file: &[u8], wanted: Option<Architecture>, expected: Expect) {
    let unfit = inspect(file, wanted).expect_err("must be refused");
    expected.assert_eq(&format!("{unfit}\n  {}\n", unfit.hint()));
}

#[test]
fn an_executable_for_either_processor_is_fit() {
    for architecture in [X86_64, Arm64] {
        let fit = inspect(&elf(architecture).bytes(), Some(architecture)).unwrap();
        let glibc = Some(Glibc(2, 34, 0));
        assert_eq!(
            fit,
            Fit {
                architecture,
                glibc
            }
        );
    }
}

#[test]
fn a_static_executable_is_fit_at_a_fixed_address_or_with_the_flag_that_marks_it() {
    let statically = |kind, flags| Elf {
        kind,
        flags,
        interpreter: None,
        versions: vec![],
        ..elf(X86_64)
    };
    for file in [statically(2, 0), statically(3, DF_1_PIE)] {
        assert_eq!(inspect(&file.bytes(), None).unwrap().glibc, None);
    }
    refused(
        &statically(3, 0).bytes(),
        None,
        expect![[r#"
        it is a shared library, not an executable for Linux
          build the binary for x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu, or let chatctl build it
    "#]],
    );
}

#[test]
fn this_test_itself_is_an_executable_whose_c_library_is_found() {
    let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let elf = Reader::open(&file).unwrap();
    let newest = elf.newest_glibc(&elf.dynamic().unwrap()).unwrap();
    assert!(newest.unwrap() >= Glibc(2, 17, 0), "{newest:?}");
}

#[test]
fn another_processor_is_refused() {
    refused(
        &elf(X86_64).bytes(),
        Some(Arm64),
        expect![[r#"
        it is built for x86_64, but arm64 is required
          build it for that processor, or change `architecture` under `[aws]` in chatctl.toml
    "#]],
    );
    let riscv = Elf {
        machine: 243,
        ..elf(X86_64)
    };
    refused(
        &riscv.bytes(),
        None,
        expect![[r#"
        it is built for RISC-V; Lambda has x86_64 and arm64
          build the binary for x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu, or let chatctl build it
    "#]],
    );
}

#[test]
fn a_newer_c_library_is_refused_even_if_only_one_symbol_requires_it() {
    let mut newer = elf(X86_64);
    newer.versions.insert(1, ("GLIBC_2.38", 0));
    refused(
        &newer.bytes(),
        None,
        expect![[r#"
            it needs glibc 2.38, but Lambda's runtime provided.al2023 has glibc 2.34
              build with cargo-lambda and zig, which link against an older glibc (`pip install cargo-lambda` installs both), or on Amazon Linux 2023
        "#]],
    );
}

#[test]
fn a_version_that_is_required_weakly_may_be_missing() {
    const VER_FLG_WEAK: u16 = 2;
    let mut weak = elf(X86_64);
    weak.versions.push(("GLIBC_2.39", VER_FLG_WEAK));
    let fit = inspect(&weak.bytes(), None).unwrap();
    assert_eq!(fit.glibc, Some(LAMBDA_GLIBC));
}

#[test]
fn a_feature_of_a_newer_c_library_is_refused() {
    let mut newer = elf(X86_64);
    newer.versions.push(("GLIBC_ABI_DT_RELR", 0));
    refused(
        &newer.bytes(),
        None,
        expect![[r#"
            it needs GLIBC_ABI_DT_RELR, but Lambda's runtime provided.al2023 has glibc 2.34
              build with cargo-lambda and zig, which link against an older glibc (`pip install cargo-lambda` installs both), or on Amazon Linux 2023
        "#]],
    );
}

#[test]
fn another_dynamic_linker_is_refused() {
    let musl = Elf {
        interpreter: Some("/lib/ld-musl-x86_64.so.1"),
        ..elf(X86_64)
    };
    refused(
        &musl.bytes(),
        None,
        expect![[r#"
            it needs the dynamic linker `/lib/ld-musl-x86_64.so.1`, but Lambda's runtime only has `/lib64/ld-linux-x86-64.so.2`
              build it for a `-unknown-linux-gnu` target with an ordinary linker, or link it statically
        "#]],
    );
}

#[test]
fn files_that_are_not_executables_are_named_by_their_kind() {
    let mut text = String::new();
    let mut object = elf(X86_64);
    object.kind = 1;
    let object = object.bytes();
    let mut freebsd = elf(X86_64).bytes();
    freebsd[7] = 9;
    for file in [
        b"".as_slice(),
        b"#!/bin/sh\n",
        b"PK\x03\x04rest",
        b"MZ rest",
        b"\xcf\xfa\xed\xfe rest",
        b"text",
        b"\x7fELF\x01\x01",
        b"\x7fELF\x02\x02",
        b"\x7fELF",
        &freebsd,
        &object,
    ] {
        text.push_str(&format!("{}\n", inspect(file, None).unwrap_err()));
    }
    expect![[r#"
        it is empty; handlers for AWS are a 64-bit Linux executable (ELF)
        it is a script; handlers for AWS are a 64-bit Linux executable (ELF)
        it is a zip file (`--handlers` takes the executable itself); handlers for AWS are a 64-bit Linux executable (ELF)
        it is a Windows executable; handlers for AWS are a 64-bit Linux executable (ELF)
        it is a macOS executable; handlers for AWS are a 64-bit Linux executable (ELF)
        it is no executable; handlers for AWS are a 64-bit Linux executable (ELF)
        it is a 32-bit ELF file; handlers for AWS are a 64-bit Linux executable (ELF)
        it is an ELF file for a big-endian processor; handlers for AWS are a 64-bit Linux executable (ELF)
        its header cannot be read: the file is damaged or cut off
        it is an ELF file for another operating system, not an executable for Linux
        it is an object file that is not linked yet, not an executable for Linux
    "#]].assert_eq(&text);
}

#[test]
fn versions_are_compared_as_numbers() {
    let parse = |text| Glibc::parse(text);
    assert!(parse("2.4") < parse("2.34") && parse("2.3.4") < parse("2.4"));
    assert_eq!([parse("PRIVATE"), parse("2"), parse("2.1.1.1")], [None; 3]);
    assert_eq!(parse("2.3.4").unwrap().to_string(), "2.3.4");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let file = elf(Arm64).bytes();
    for length in 0..file.len() - 1 {
        // The dynamic section ends with padding, which may be missing.
        let cut = inspect(&file[..length], None);
        assert!(cut.is_err(), "{length} of {} bytes: {cut:?}", file.len());
    }
}

proptest! {
    #[test]
    fn damage_never_panics(at in 0_usize..600, bytes in prop::array::uniform8(any::<u8>())) {
        let mut file = elf(X86_64).bytes();
        for (offset, byte) in bytes.into_iter().enumerate() {
            if let Some(place) = file.get_mut(at + offset) {
                *place = byte;
            }
        }
        drop(inspect(&file, None));
    }
}
