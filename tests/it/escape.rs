//! Text from elsewhere, made safe for a terminal.

use pypi_verify_now::terminal::escape::{as_of_pip, blanked, escape, is_plain};

#[test]
fn control_and_bidi_characters_are_escaped() {
    for (text, shown) in [
        ("plain-1.0 ü 漢", "plain-1.0 ü 漢"),
        ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
        ("a\nb\r\t", "a\\u{a}b\\u{d}\\u{9}"),
        ("evil\u{202e}gnp.exe", "evil\\u{202e}gnp.exe"),
        ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
        ("\u{9b}31m", "\\u{9b}31m"),
        ("tag\u{e0041}", "tag\\u{e0041}"),
    ] {
        assert_eq!(escape(text), shown);
    }
}

#[test]
fn control_sequences_of_other_programs_become_blanks() {
    assert_eq!(blanked("a\nb\u{1b}[2J\u{202e}c ü"), "a b [2J c ü");
    assert!(is_plain("a b ü") && !is_plain("a\tb") && !is_plain("\u{200b}"));
}

#[test]
fn line_of_pip_that_imitates_ours_is_marked() {
    for (said, shown) in [
        ("pypi-verify-now: verified: x\n", "pip: pypi-verify-now: verified: x\n"),
        ("a\n \tPyPI-Verify-Now: x", "a\npip:  \tPyPI-Verify-Now: x"),
        ("refused: x\nRefused: x\n", "pip: refused: x\npip: Refused: x\n"),
        ("error: x\nhint: y\n", "pip: error: x\npip: hint: y\n"),
        ("OK: aa\nUNKNOWN: aa\nFAIL: aa\n", "pip: OK: aa\npip: UNKNOWN: aa\npip: FAIL: aa\n"),
        ("a\rpypi-verify-now: x\n", "a\npip: pypi-verify-now: x\n"),
        ("\u{1b}[31mpypi-verify-now: x\n", "pip: pypi-verify-now: x\n"),
        ("a\u{1b}[1Gpypi-verify-now: x\n", "apypi-verify-now: x\n"),
        ("\u{1b}[1\u{1b}[m;2Hrefused: x\n", ";2Hrefused: x\n"),
        ("\u{1b}\u{1b}[m[Hrefused: x\n", "\\u{1b}[Hrefused: x\n"),
        ("a\u{1b}Epypi-verify-now: x\n", "a\\u{1b}Epypi-verify-now: x\n"),
        ("a\u{85}refused: x\n", "a\\u{85}refused: x\n"),
        ("a\u{2028}refused: x\u{202e}\n", "a\\u{2028}refused: x\\u{202e}\n"),
    ] {
        assert_eq!(as_of_pip(said.as_bytes()), shown, "{said:?}");
    }
    // A control sequence in eight bits is no UTF-8.
    assert_eq!(as_of_pip(b"a\x9b1Gb"), "a\u{fffd}1Gb");
}

#[test]
fn other_lines_of_pip_are_unchanged() {
    for said in [
        "",
        "\n\n",
        "ERROR: No matching distribution found for aa\n",
        "WARNING: a\n  error: subprocess-exited-with-error\n  \n  \u{d7} it\n  \u{2570}\u{2500}> b\n",
        "Hint: it looks like a path\nCollecting aa\n\tb",
    ] {
        assert_eq!(as_of_pip(said.as_bytes()), said);
    }
    assert_eq!(as_of_pip(b"10%\r20%\r\nb\r\n"), "10%\n20%\nb\n");
}
