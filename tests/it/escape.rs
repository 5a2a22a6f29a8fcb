//! Text from elsewhere, made safe for a terminal.

use pypi_verify_now::escape::escape;

#[test]
fn what_moves_hides_or_reorders_is_written_out() {
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
