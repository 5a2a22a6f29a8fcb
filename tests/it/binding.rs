//! The files of one project have one publisher: the state machine, row by row.

use pypi_verify_now::attestation::document::DocumentError;
use pypi_verify_now::trust::binding::Binding;
use pypi_verify_now::trust::pin::Pin;
use pypi_verify_now::trust::policy::{Evidence, Policy, Reason, Verdict};

use crate::policy::{
    DEFAULT, NOTHING, STRICT, STRICT_TOFU, TOFU, attested, bad, good, pin, publisher, strange, word,
};

/// The verdicts on files that arrive one after the other.
fn in_turn(mut binding: Binding, files: &[Evidence], policy: &Policy) -> Vec<Verdict> {
    files.iter().map(|evidence| binding.judge(evidence, policy)).collect()
}

fn words(verdicts: &[Verdict]) -> Vec<&'static str> {
    verdicts.iter().map(word).collect()
}

#[test]
fn first_publisher_binds_the_other_files() {
    let (open, pinned) = (Binding::new(None), Binding::new(Some(&pin("o/r"))));
    let agreed = Binding::first(publisher("o/r"));
    let (r, x) = (&attested([good("o/r")]), &attested([good("o/x")]));
    let (both, broken) = (&attested([good("o/r"), good("o/x")]), &attested([bad("o/r")]));
    let none = &NOTHING;
    for (binding, policy, files, verdicts) in [
        // Trust on first use accepts one publisher for the project.
        (&open, TOFU, vec![r, r], ["record", "record"]),
        (&open, TOFU, vec![r, x], ["record", "ambiguous"]),
        (&open, TOFU, vec![r, both], ["record", "record"]),
        (&open, TOFU, vec![r, none], ["record", "expected"]),
        (&open, STRICT_TOFU, vec![r, none], ["record", "expected"]),
        (&open, TOFU, vec![r, broken], ["record", "invalid"]),
        (&open, TOFU, vec![none, none], ["unknown", "unknown"]),
        // Without trust on first use, no publisher is accepted.
        (&open, DEFAULT, vec![r, x], ["not recorded", "not recorded"]),
        (&open, DEFAULT, vec![r, none], ["not recorded", "unknown"]),
        // The publisher to whom the user has agreed is accepted, whatever the policy says.
        (&agreed, DEFAULT, vec![r, x], ["record", "ambiguous"]),
        (&agreed, DEFAULT, vec![x, r], ["ambiguous", "record"]),
        (&agreed, TOFU, vec![x, both], ["ambiguous", "record"]),
        (&agreed, STRICT, vec![none, r], ["expected", "record"]),
        // A pin of a trust file stays.
        (&pinned, TOFU, vec![r, x], ["ok", "changed"]),
        (&pinned, TOFU, vec![x, r], ["changed", "ok"]),
        (&pinned, TOFU, vec![none, broken], ["expected", "invalid"]),
    ] {
        let files: Vec<Evidence> = files.into_iter().cloned().collect();
        assert_eq!(words(&in_turn(binding.clone(), &files, &policy)), verdicts, "{files:?}");
        assert_eq!(words(&binding.clone().judge_all(&files, &policy)), verdicts, "{files:?}");
    }
}

#[test]
fn files_in_front_of_the_first_publisher_are_bound_if_all_are_known() {
    let (r, open) = (attested([good("o/r")]), Binding::new(None));
    for (files, at_once, one_by_one) in [
        ([NOTHING, r.clone()], ["expected", "record"], ["unknown", "record"]),
        (
            [attested([good("o/r"), good("o/x")]), r.clone()],
            ["record", "record"],
            ["ambiguous", "record"],
        ),
        ([attested([bad("o/x")]), r], ["invalid", "record"], ["invalid", "record"]),
    ] {
        assert_eq!(words(&open.clone().judge_all(&files, &TOFU)), at_once, "{files:?}");
        assert_eq!(words(&in_turn(open.clone(), &files, &TOFU)), one_by_one, "{files:?}");
    }
}

#[test]
fn refusal_of_a_second_publisher_names_every_publisher() {
    let other = attested([good("o/x"), good("o/y"), good("O/X")]);
    let verdict = Binding::first(publisher("o/r")).judge(&other, &TOFU);
    let found = ["o/r", "o/x", "o/y"].map(publisher).to_vec();
    assert_eq!(verdict, Verdict::Fail(Reason::Ambiguous { found }));
}

#[test]
fn files_that_trust_on_first_use_accepts_pass_the_next_run() {
    let bundles = [good("o/r"), good("o/x"), bad("o/r"), bad("o/x"), strange()];
    let mut documents =
        vec![NOTHING, Evidence::Invalid(DocumentError::NoBundle.into()), attested([])];
    for one in &bundles {
        documents.push(attested([one.clone()]));
        documents.extend(bundles.iter().map(|other| attested([one.clone(), other.clone()])));
    }
    for first in &documents {
        for second in &documents {
            let files = [first.clone(), second.clone()];
            let verdicts = Binding::new(None).judge_all(&files, &TOFU);
            if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fail(_))) {
                continue;
            }
            let recorded = verdicts.iter().find_map(|verdict| match verdict {
                Verdict::Record { publisher } => Some(Pin::to(publisher.url().clone())),
                _ => None,
            });
            let again = Binding::new(recorded.as_ref()).judge_all(&files, &DEFAULT);
            let pass = |v: &Verdict| matches!(v, Verdict::Ok { .. } | Verdict::Unknown { .. });
            assert!(again.iter().all(pass), "{files:?}: {verdicts:?}, then {again:?}");
        }
    }
}
