//! No refusal rests on a cached answer: the rule, row by row.

use pypi_verify_now::evidence::audit::Finding;
use pypi_verify_now::evidence::recheck::refusals_without_cache;
use pypi_verify_now::failure::{Failure, Status};
use pypi_verify_now::http::Client;
use pypi_verify_now::http::settings::Transport;
use pypi_verify_now::index::{Index, ServedDocument};
use pypi_verify_now::package::name::PackageName;
use pypi_verify_now::trust::policy::{Reason, UnsignedKind, Verdict};
use url::Url;

const GOOD: Verdict = Verdict::Unknown { kind: UnsignedKind::NoProvenance };
const REFUSED: Verdict =
    Verdict::Fail(Reason::UnsignedUnderStrict { kind: UnsignedKind::NoProvenance });

fn finding(title: &str, verdict: &Verdict) -> Finding {
    let name = PackageName::parse("aa").unwrap();
    Finding { name, title: title.to_owned(), file: None, verdict: verdict.clone(), release: None }
}

/// An index that has used an answer which is cached or not.
fn index(client: &Client, is_cached: bool) -> Index<'_> {
    let index = Index::new(client);
    let served = move || Some(Ok(ServedDocument { bytes: Some(Vec::new()), is_cached }));
    index.use_prefetched_documents(Box::new(move |_| served()));
    index.provenance(&Url::parse("https://index.example/document").unwrap()).unwrap();
    index
}

#[test]
fn only_refusals_after_a_cached_answer_are_judged_again() {
    let client = Client::new(&Transport::default());
    for (is_cached, first, doubtful, titles) in [
        (false, [GOOD, REFUSED], &[][..], ["first", "first"]),
        (true, [GOOD, GOOD], &[], ["first", "first"]),
        (true, [GOOD, REFUSED], &[1], ["first", "again"]),
        (true, [REFUSED, GOOD], &[0], ["again", "first"]),
        (true, [REFUSED, REFUSED], &[0, 1], ["again", "again"]),
    ] {
        let findings = first.iter().map(|verdict| vec![finding("first", verdict)]).collect();
        let mut asked = Vec::new();
        let findings = refusals_without_cache(
            &index(&client, is_cached),
            &[0, 1],
            findings,
            |fresh, which| {
                assert!(!fresh.has_used_cached_answer());
                asked = which.to_vec();
                Ok(which.iter().map(|_| vec![finding("again", &REFUSED)]).collect())
            },
        );
        let findings: Vec<Finding> = findings.unwrap().into_iter().flatten().collect();
        let found: Vec<&str> = findings.iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!((asked.as_slice(), found), (doubtful, titles.to_vec()), "{first:?}");
    }
}

#[test]
fn failed_second_look_is_an_error_and_not_a_verdict() {
    let client = Client::new(&Transport::default());
    let findings = vec![vec![finding("first", &REFUSED)]];
    let failed = refusals_without_cache(&index(&client, true), &[()], findings, |_, _| {
        Err(Failure::new(Status::CouldNotCheck, "the index is away"))
    });
    assert_eq!(failed.unwrap_err().message, "the index is away");
}
