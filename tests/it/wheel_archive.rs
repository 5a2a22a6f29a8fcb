//! Listings of zip archives: what is read here is what Python's `zipfile` reads, or nothing.

use std::fs;
use std::io::{Cursor, Write as _};
use std::process::Command;

use pypi_verify_now::contents::archive::{ArchiveError, content, members};
use pypi_verify_now::contents::record::{rows, scripts};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive with these members, each holding its own name.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(bytes: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let members = members(&mut Cursor::new(bytes))?;
    Ok(members.into_iter().map(|member| member.name).collect())
}

/// Returns the listing of Python's `zipfile` for each archive; `None` if it refuses one.
fn by_python(archives: &[Vec<u8>]) -> Vec<Option<Vec<String>>> {
    let directory = tempfile::tempdir().unwrap();
    for (number, bytes) in archives.iter().enumerate() {
        fs::write(directory.path().join(format!("{number}.zip")), bytes).unwrap();
    }
    let code = "import json, sys, zipfile\nfound = []\nfor n in range(int(sys.argv[2])):\n    \
                try: found.append(zipfile.ZipFile('%s/%d.zip' % (sys.argv[1], n)).namelist())\n    \
                except Exception: found.append(None)\nprint(json.dumps(found))";
    let output = Command::new("python3")
        .args(["-c", code])
        .arg(directory.path())
        .arg(archives.len().to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn members_are_listed_in_order_and_read_whole() {
    let bytes = archive(&["aa.py", "aa/", "aa/ü.py", "aa-1.0.dist-info/RECORD"]);
    assert_eq!(read(&bytes).unwrap(), ["aa.py", "aa/", "aa/ü.py", "aa-1.0.dist-info/RECORD"]);
    let mut file = Cursor::new(&bytes);
    for member in members(&mut file).unwrap() {
        assert_eq!(content(&mut file, &member, 100).unwrap(), member.name.as_bytes());
        assert!(content(&mut file, &member, 2).is_err());
    }
}

/// Every archive that differs from a plain one in a single byte, or is put together in an odd way.
fn odd_archives() -> Vec<Vec<u8>> {
    let (plain, other) = (archive(&["good.py", "b/c.py"]), archive(&["evil.py"]));
    let mut odd = vec![
        plain.clone(),
        [b"#!/bin/sh\n".as_slice(), &plain].concat(),
        [plain.as_slice(), &other].concat(),
        [plain.as_slice(), b"\n"].concat(),
        [plain.as_slice(), b"PK\x05\x06"].concat(),
    ];
    // A comment that holds another archive, or another end record.
    let mut commented = plain.clone();
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&u16::try_from(other.len()).unwrap().to_le_bytes());
    odd.push([commented.as_slice(), &other].concat());
    for at in 0..plain.len() {
        for byte in [0, 1, b'/', plain[at] ^ 1, 0xff] {
            let mut changed = plain.clone();
            changed[at] = byte;
            odd.push(changed);
        }
    }
    odd
}

#[test]
fn every_listing_is_the_one_that_python_reads() {
    let odd = odd_archives();
    let mut accepted = 0;
    for (bytes, python) in odd.iter().zip(by_python(&odd)) {
        let Ok(names) = read(bytes) else { continue };
        let Some(python) = python else { continue };
        assert_eq!(names, python);
        accepted += 1;
    }
    assert!(accepted > 100, "only {accepted} were read at all");
}

/// The offset of a central directory header's field, of the first member.
fn central(bytes: &[u8], field: usize) -> usize {
    bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap() + field
}

#[test]
fn archive_that_two_readers_could_read_differently_is_refused() {
    let plain = archive(&["good.py", "b/c.py"]);
    let prefixed = [b"x".as_slice(), &plain].concat();
    let trailing = [plain.as_slice(), b"x"].concat();
    let mut overlapping = plain.clone();
    let second = central(&plain, 46 + "good.py".len() + 42);
    overlapping[second..second + 4].fill(0);
    for (bytes, reason) in [
        (prefixed, "not directly before its end"),
        (trailing, "bytes follow"),
        (overlapping, "overlap"),
        (plain[..plain.len() - 30].to_vec(), "not a zip archive"),
    ] {
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn name_that_python_would_cut_or_replace_is_refused() {
    for name in ["pip/__init__.py\0.txt", "a\nb", "a\u{7f}", "ü\u{2028}"] {
        assert!(matches!(read(&archive(&[name])), Err(ArchiveError::Name(..))), "{name:?}");
    }
    // An extra field that states another name (Info-ZIP Unicode Path).
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut options = zip::write::FullFileOptions::default();
    options.add_extra_field(0x7075, vec![1, 0, 0, 0, 0, b'x'].into_boxed_slice(), true).unwrap();
    zip.start_file("good.py", options).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert!(matches!(read(&bytes), Err(ArchiveError::Name(..))));
}

#[test]
fn bomb_is_refused_by_its_stated_sizes() {
    let mut bytes = archive(&["bomb"]);
    let size = central(&bytes, 24);
    bytes[size..size + 4].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    // One such member is within the bound and is never read; many are not.
    assert!(read(&bytes).is_ok());
    let member = members(&mut Cursor::new(&bytes)).unwrap().remove(0);
    assert!(content(&mut Cursor::new(&bytes), &member, 1 << 20).is_err());
}

#[test]
fn content_behind_the_stated_size_is_not_read() {
    for (field, value) in [(24, 0_u32), (24, 3), (24, 9), (16, 7)] {
        let mut bytes = archive(&["good.py"]);
        let at = central(&bytes, field);
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        let mut file = Cursor::new(&bytes);
        let member = members(&mut file).unwrap().remove(0);
        assert!(content(&mut file, &member, 100).is_err(), "{field} {value}");
    }
}

#[test]
fn name_without_the_flag_is_in_the_code_page_of_zipfile() {
    let mut bytes = archive(&["w/X.txt"]);
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(b"w/X.txt") {
            bytes[at + 2] = 0x82;
        }
    }
    assert_eq!(read(&bytes).unwrap(), ["w/é.txt"]);
    assert_eq!(by_python(&[bytes]), [Some(vec!["w/é.txt".to_owned()])]);
}

#[test]
fn rows_of_record_are_read_strictly() {
    let paths = |text: &str| {
        rows(text).map(|rows| rows.into_iter().map(|row| row.path).collect::<Vec<_>>())
    };
    let text = "a.py,sha256=x,1\r\n\n\"b,\"\"c\"\"\",,\nd\n";
    assert_eq!(paths(text).unwrap(), ["a.py", "b,\"c\"", "d"]);
    for text in ["\"a", "\"a\"b,,", "a\u{c}b,,", "a\rb,,", "\"a\nb\",,", "a\u{85}b,,"] {
        assert!(paths(text).is_err(), "{text:?}");
    }
}

#[test]
fn commands_are_those_of_the_two_groups() {
    let text = "[console_scripts]\na = a:main\n# pip = d\n\n[pytest11]\npip = x\n[ gui_scripts ]\n\
                b=b.c:g.h [x, y]\npy.test-3 run = aa";
    let names: Vec<_> = scripts(text).unwrap().into_iter().map(|script| script.name).collect();
    assert_eq!(names, ["a", "b", "py.test-3 run"]);
    for line in [
        "a\u{b}= b",
        "[pip = evil:main [a] x",
        "[pip = evil:main",
        "[a]]",
        "pip",
        "[pip] = a:b",
        "pip = [a] x",
        "pip = a:b [x] y",
        "= a:b",
        "pip = a b",
    ] {
        assert!(scripts(&format!("[console_scripts]\n{line}\n")).is_err(), "{line:?}");
    }
}
