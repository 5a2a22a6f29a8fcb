//! Provenance documents as texts: what reads, what is refused, and that nothing panics.

use proptest::prelude::*;
use pypi_verify_now::attestation::document::{
    AttestationFault, ClaimedPublisher, Document, MAX_ATTESTATIONS, MAX_BUNDLES, MAX_DOCUMENT,
};
use serde_json::{Value, json};

fn attestation() -> Value {
    json!({
        "version": 1,
        "verification_material": {"certificate": "AAAA", "transparency_entries": [{}]},
        "envelope": {"statement": "AAAA", "signature": "AAAA"},
    })
}

fn bundle(publisher: Value) -> Value {
    json!({"publisher": publisher, "attestations": [attestation()]})
}

fn document(bundles: Vec<Value>) -> String {
    json!({"version": 1, "attestation_bundles": bundles}).to_string()
}

fn refusal(text: &str) -> String {
    Document::parse(text.as_bytes()).expect_err("refused").to_string()
}

fn publisher(value: Value) -> ClaimedPublisher {
    let document = Document::parse(document(vec![bundle(value)]).as_bytes()).unwrap();
    document.bundles()[0].publisher().unwrap().clone()
}

fn fault(attestation: Value) -> AttestationFault {
    let bundle = json!({"publisher": null, "attestations": [attestation]});
    let document = Document::parse(document(vec![bundle]).as_bytes()).unwrap();
    document.bundles()[0].attestations()[0].clone().expect_err("a fault")
}

#[test]
fn document_reads_with_its_bundles_in_order() {
    let text = document(vec![
        bundle(json!({"kind": "Google", "email": "a@example.com", "claims": null})),
        bundle(json!({"kind": "GitHub", "repository": "o/r", "workflow": "w.yml"})),
    ]);
    let document = Document::parse(text.as_bytes()).unwrap();
    let kinds: Vec<_> = document.bundles().iter().filter_map(|bundle| bundle.publisher()).collect();
    assert!(matches!(
        kinds[..],
        [ClaimedPublisher::Google { .. }, ClaimedPublisher::GitHub { .. }]
    ));
    assert!(document.bundles().iter().all(|bundle| bundle.attestations()[0].is_ok()));
}

#[test]
fn single_attestation_is_a_document_that_claims_no_publisher() {
    let text = attestation().to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    assert_eq!(document.bundles().len(), 1);
    assert_eq!(document.bundles()[0].publisher(), None);
    assert!(document.bundles()[0].attestations()[0].is_ok());
}

#[test]
fn document_without_attestations_is_refused() {
    assert!(refusal(&document(vec![])).contains("has no attestation bundle"));
    let empty = json!({"publisher": {"kind": "GitHub"}, "attestations": []});
    let good = bundle(json!({"kind": "GitHub"}));
    assert!(refusal(&document(vec![empty.clone()])).contains("bundle 1"));
    assert!(refusal(&document(vec![good, empty])).contains("bundle 2"));
    assert!(Document::parse(document(vec![]).as_bytes()).is_err());
}

#[test]
fn other_versions_are_refused() {
    for version in [json!(2), json!(0), json!("1"), json!(1.0), json!(null), json!([1])] {
        let text = json!({"version": version, "attestation_bundles": [bundle(json!({}))]});
        assert!(refusal(&text.to_string()).contains("only version 1 is known"), "{version}");
    }
    assert!(refusal(r#"{"attestation_bundles": []}"#).contains("missing field `version`"));
}

#[test]
fn key_given_twice_is_refused_at_any_depth() {
    let whole = document(vec![bundle(json!({"kind": "GitHub", "claims": {"a": {"b": 1}}}))]);
    assert!(Document::parse(whole.as_bytes()).is_ok());
    for (once, twice) in [
        (r#""version":1"#, r#""version":1,"version":1"#),
        (r#""attestation_bundles":["#, r#""attestation_bundles":[],"attestation_bundles":["#),
        (r#""kind":"GitHub""#, r#""kind":"GitHub","kind":"GitLab""#),
        (r#""b":1"#, r#""b":1,"b":1"#),
        (r#""b":1"#, r#""b":1,"\u0062":1"#),
        (r#""certificate":"AAAA""#, r#""certificate":"AAAA","certificate":"BBBB""#),
        (r#""transparency_entries":[{}]"#, r#""transparency_entries":[{"a":1,"a":2}]"#),
    ] {
        assert!(whole.contains(once), "{once}");
        assert!(refusal(&whole.replacen(once, twice, 1)).contains("is given twice"), "{twice}");
    }
}

#[test]
fn endless_deep_truncated_and_trailing_texts_are_refused() {
    let whole = document(vec![bundle(json!({"kind": "GitHub"}))]);
    let long = format!("{whole}{}", " ".repeat(MAX_DOCUMENT));
    assert!(refusal(&long).contains("more than 4194304 bytes"));
    for deep in ["[".repeat(200_000), r#"{"a":"#.repeat(200_000)] {
        assert!(refusal(&deep).contains("recursion limit"));
        let hidden = whole.replacen("\"GitHub\"", &deep, 1);
        assert!(refusal(&hidden).contains("recursion limit"));
    }
    for end in 0..whole.len() {
        assert!(Document::parse(&whole.as_bytes()[..end]).is_err());
    }
    assert!(refusal(&format!("{whole}{whole}")).contains("trailing"));
    assert!(refusal("<!doctype html><html></html>").contains("not the expected JSON"));
    assert!(refusal("\u{feff}{}").contains("not the expected JSON"));
}

#[test]
fn number_of_bundles_and_attestations_is_bounded() {
    let good = bundle(json!({"kind": "GitHub"}));
    let bundles = |count| document(vec![good.clone(); count]);
    let attestations = |count| {
        document(vec![json!({"publisher": {}, "attestations": vec![attestation(); count]})])
    };
    assert!(Document::parse(bundles(MAX_BUNDLES).as_bytes()).is_ok());
    assert!(refusal(&bundles(MAX_BUNDLES + 1)).contains("33 attestation bundles"));
    assert!(Document::parse(attestations(MAX_ATTESTATIONS).as_bytes()).is_ok());
    assert!(refusal(&attestations(MAX_ATTESTATIONS + 1)).contains("17 attestations"));
}

#[test]
fn publishers_in_the_wild_are_read() {
    let github = |environment: Option<&str>| ClaimedPublisher::GitHub {
        repository: "o/r".to_owned(),
        workflow: "w.yml".to_owned(),
        environment: environment.map(str::to_owned),
    };
    let written = |environment: Value| {
        json!({"kind": "GitHub", "repository": "o/r", "workflow": "w.yml", "claims": null,
            "environment": environment})
    };
    assert_eq!(publisher(written(json!(""))), github(None));
    assert_eq!(publisher(written(json!(null))), github(None));
    assert_eq!(publisher(written(json!("pypi"))), github(Some("pypi")));
    let pulp = ClaimedPublisher::Unknown { kind: "Pulp User".to_owned() };
    assert_eq!(publisher(json!({"kind": "Pulp User", "prn": "prn:core.user:1"})), pulp);
    assert_eq!(publisher(json!({"kind": null})), ClaimedPublisher::Nameless);
    assert_eq!(publisher(json!(null)), ClaimedPublisher::Nameless);
}

#[test]
fn malformed_attestation_has_a_reason_and_affects_no_other() {
    let with = |key: &str, value: Value| {
        let mut changed = attestation();
        *changed.pointer_mut(key).unwrap() = value;
        changed
    };
    let material = with("/verification_material", json!(null));
    assert_eq!(fault(material), AttestationFault::NoVerificationMaterial);
    assert_eq!(fault(with("/version", json!(2))), AttestationFault::Version("2".to_owned()));
    let entries = "/verification_material/transparency_entries";
    assert_eq!(fault(with(entries, json!([]))), AttestationFault::NoEntry);
    let many = AttestationFault::TooManyEntries { count: 9 };
    assert_eq!(fault(with(entries, json!(vec![1; 9]))), many);
    for text in ["AA\nAA", "AAA", "AAAA ", "A-_A", "ä"] {
        let bad = AttestationFault::NotBase64 { field: "statement" };
        assert_eq!(fault(with("/envelope/statement", json!(text))), bad, "{text}");
    }
    for shape in [json!({}), json!([]), json!(1), with("/envelope", json!(null))] {
        assert!(matches!(fault(shape), AttestationFault::Shape(_)));
    }

    let mut both = bundle(json!({"kind": "GitHub"}));
    both["attestations"] = json!([with("/version", json!(2)), attestation()]);
    let document = Document::parse(document(vec![both]).as_bytes()).unwrap();
    let read: Vec<_> = document.bundles()[0].attestations().iter().map(Result::is_ok).collect();
    assert_eq!(read, [false, true]);
}

#[test]
fn unknown_keys_are_ignored() {
    let mut whole =
        json!({"version": 1, "attestation_bundles": [bundle(json!({"kind": "GitHub"}))]});
    whole["new"] = json!(1);
    whole["attestation_bundles"][0]["new"] = json!({});
    whole["attestation_bundles"][0]["attestations"][0]["new"] = json!([]);
    whole["attestation_bundles"][0]["attestations"][0]["envelope"]["new"] = json!("");
    let document = Document::parse(whole.to_string().as_bytes()).unwrap();
    assert!(document.bundles()[0].attestations()[0].is_ok());
}

/// Any JSON value, with the keys that documents have more often than not.
fn any_json() -> impl Strategy<Value = Value> {
    let keys = "version|attestation_bundles|publisher|attestations|kind|envelope|statement|signature|verification_material|certificate|transparency_entries|[a-z]{0,3}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "GitHub|GitLab|Google|CircleCI|AAAA|\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Document::parse(&bytes);
    }

    #[test]
    fn arbitrary_json_does_not_panic(value in any_json()) {
        if let Ok(document) = Document::parse(value.to_string().as_bytes()) {
            prop_assert!(!document.bundles().is_empty());
            prop_assert!(document.bundles().iter().all(|bundle| !bundle.attestations().is_empty()));
        }
    }

    #[test]
    fn one_changed_byte_does_not_panic(at in 0..400_usize, byte in any::<u8>()) {
        let text = document(vec![bundle(json!({"kind": "GitHub", "repository": "o/r"}))]);
        let mut bytes = text.into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Document::parse(&bytes);
    }
}
